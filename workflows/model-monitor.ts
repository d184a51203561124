/**
 * `modelMonitor`: one per model. It looks at the champion's windows of the prediction log, and hands what it finds to the trigger ledger,
 * each finding once per version. Whether the pipeline retrains on it is decided there, so that a finding that leads to
 * nothing has its row too.
 */
import { CancellationScope, condition, continueAsNew, log, patched, setCurrentDetails, setHandler, TemporalFailure, workflowInfo } from '@temporalio/workflow';
import { championChangedSignal, monitorStatusQuery } from '../contracts/messages.ts';
import type { MonitorInput, MonitorWindow } from '../contracts/monitor.ts';
import { findingsOf, findingTriggerId, qualityStandingOf, rememberReports, type MonitorFinding } from '../domain/monitor.ts';
import { quick, untilDone } from './proxies.ts';
import { setSearchAttributes } from './search-attributes.ts';

/** A look costs about 12 events, so an execution stays far below the limits of a history. */
const LOOKS_PER_EXECUTION = 200;

type MonitorState = {
  input: MonitorInput;
  nextWindow: number;
  reported: string[];
  /** Raised by each change of champion: a look that began before it must not count for the new version. */
  changes: number;
  lastWindow: MonitorWindow | null;
  lastDecision: string | null;
  /** False in executions that began before there were alerts. */
  alerts: boolean;
};

const beginMonitor = (input: MonitorInput): MonitorState => {
  const { nextWindow = 0, windowsReported = [] } = input.resume ?? {};
  const state: MonitorState = { input, nextWindow, reported: windowsReported, changes: 0, lastWindow: null, lastDecision: null, alerts: patched('alertOnWindows') };
  setHandler(monitorStatusQuery, () => ({
    model: state.input.model,
    version: state.input.version,
    windows: state.nextWindow,
    lastWindow: state.lastWindow,
    lastDecision: state.lastDecision,
  }));
  setHandler(championChangedSignal, ({ version, pipeline, spec }) => {
    if (version !== state.input.version) {
      Object.assign(state, { nextWindow: 0, reported: [], lastWindow: null, lastDecision: null });
      state.changes += 1;
    }
    state.input = { model: state.input.model, version, pipeline, spec };
  });
  return state;
};

/** Hands a finding to the ledger; it counts as reported only after that, and is retried until then. */
const report = async (state: MonitorState, finding: MonitorFinding, window: MonitorWindow): Promise<void> => {
  const { model, pipeline } = state.input;
  const id = findingTriggerId(model, window.version, finding);
  const at = new Date(Date.now()).toISOString();
  const trigger = { id, kind: finding.kind, reason: finding.reason, at, source: `monitor/${model}`, quality: qualityStandingOf(window) };
  await untilDone(`${finding.kind} of version ${window.version}`).submitTrigger({ pipeline, trigger });
};

const judge = async (state: MonitorState, window: MonitorWindow): Promise<void> => {
  const { model, spec } = state.input;
  const changes = state.changes;
  const findings = findingsOf(window, spec, new Set(state.reported));
  for (const finding of findings) await report(state, finding, window);
  const decision = findings.length === 0 ? 'nothing to report' : findings.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
  const recorded = { model, version: window.version, window: window.window, decision };
  await untilDone(decision).recordMonitorDecision(recorded);
  if (state.alerts) await untilDone('alerts').alertOnWindows({ model, pipeline: state.input.pipeline, version: window.version, spec });
  if (changes !== state.changes) return;
  state.reported = rememberReports(state.reported, findings);
  state.lastWindow = window;
  state.lastDecision = decision;
  setCurrentDetails(`Version **${window.version}**, window ${window.window}: ${decision}`);
};

const look = async (state: MonitorState): Promise<void> => {
  const { nextWindow, changes } = state;
  const { model, version, spec } = state.input;
  const evaluated = await quick(`version ${version}, from window ${nextWindow}`).evaluateMonitorWindows({ model, version, spec, nextWindow });
  if (changes !== state.changes) return;
  state.nextWindow = evaluated.nextWindow;
  for (const window of evaluated.changed) {
    if (changes !== state.changes) return;
    await judge(state, window);
  }
};

/** A look that fails is said and tried again at the next tick: a monitor that ended by it would watch nothing any more. */
const lookSafely = async (state: MonitorState): Promise<void> => {
  try {
    await look(state);
  } catch (error) {
    if (!(error instanceof TemporalFailure) || CancellationScope.current().consideredCancelled) throw error;
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    state.lastDecision = `the windows could not be evaluated: ${cause}`;
    log.warn('the windows of a model could not be evaluated', { model: state.input.model, error: cause });
  }
};

export const modelMonitor = async (input: MonitorInput): Promise<never> => {
  const state = beginMonitor(input);
  for (let looks = 0; looks < LOOKS_PER_EXECUTION && !workflowInfo().continueAsNewSuggested; looks += 1) {
    const { model, pipeline, spec } = state.input;
    setSearchAttributes({ model, pipeline, stage: 'monitor' });
    const { changes } = state;
    await condition(() => state.changes !== changes, Math.ceil(spec.everySeconds * 1_000));
    await lookSafely(state);
  }
  const resume = { nextWindow: state.nextWindow, windowsReported: state.reported };
  return continueAsNew<typeof modelMonitor>({ ...state.input, resume });
};
