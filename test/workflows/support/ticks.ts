/**
 * Many ticks of monitors that go on for ever: histories must stay short by continuing as new, and no signal may get lost on the way. Every tenth tick
 * finds something, which is signalled to a ledger; every 25th changes the monitor's own options by a signal, sent while a look is under way, so
 * also in the very look after which the monitor continues as new.
 */
import { activityInfo } from '@temporalio/activity';
import { championChangedSignal } from '../../../contracts/messages.ts';
import { MonitorSpec } from '../../../contracts/monitor.ts';
import { monitorWindow } from './artifacts.ts';
import type { Environment } from './environment.ts';
import { modelPipeline } from './specs.ts';

const FINDING_EVERY = 10;
const SIGNAL_EVERY = 25;
const EVERY_SECONDS = 60;
/** Ticks per sleep: a call that stays open for minutes on a busy machine is cut by the server. */
const TICKS_PER_SLEEP = 500;

export type TicksReport = {
  ticks: number;
  executions: number;
  longestHistory: number;
  findings: number;
  ledgerRows: number;
  signalsSent: number;
  signalsSeen: number;
  /** Windows that were looked at twice, or never. */
  gaps: number;
};

/** Options that tell which signal brought them. */
const specOf = (marker: number) => MonitorSpec.parse({ everySeconds: EVERY_SECONDS, rows: 1_000 + marker });

type Watched = { name: string; looks: number; seen: number[]; findings: number; sent: number; markers: Set<number> };

const look = async (environment: Environment, watched: Watched, input: { nextWindow: number; spec: MonitorSpec }) => {
  const { name } = watched;
  watched.looks += 1;
  watched.seen.push(input.nextWindow);
  watched.markers.add(input.spec.rows - 1_000);
  if (watched.looks % SIGNAL_EVERY === 0) {
    watched.sent += 1;
    await environment.client.workflow.getHandle(`monitor/${name}`).signal(championChangedSignal, { version: 1, pipeline: name, spec: specOf(watched.sent) });
  }
  const isFinding = watched.looks % FINDING_EVERY === 0;
  if (isFinding) watched.findings += 1;
  return { nextWindow: input.nextWindow + 1, changed: isFinding ? [monitorWindow(input.nextWindow, 1, { drifted: true, driftScore: 0.5 })] : [] };
};

const historyLengths = async ({ client }: Environment, executions: Map<string, string>): Promise<number[]> => {
  const lengths: number[] = [];
  for (const [runId, workflowId] of executions) lengths.push((await client.workflow.getHandle(workflowId, runId).describe()).historyLength);
  return lengths;
};

/** Lets `monitors` of them tick `ticks` times together. */
export const runTicks = async (environment: Environment, { ticks, monitors }: { ticks: number; monitors: number }): Promise<TicksReport> => {
  const executions = new Map<string, string>();
  const note = (): void => {
    const { workflowExecution } = activityInfo();
    if (workflowExecution !== undefined) executions.set(workflowExecution.runId, workflowExecution.workflowId);
  };
  const all = Array.from({ length: monitors }, (_, index) => {
    const watched: Watched = { name: `ticking-${index}`, looks: 0, seen: [], findings: 0, sent: 0, markers: new Set() };
    const scenario = environment.world.scenario(watched.name, {
      spec: modelPipeline(watched.name, { triggers: { drift: false } }),
      overrides: {
        evaluateMonitorWindows: (input) => {
          note();
          return look(environment, watched, input);
        },
        recordTriggers: (_input, proceed) => {
          note();
          return proceed();
        },
      },
    });
    scenario.connected = true;
    return { watched, scenario };
  });
  for (const { watched } of all) await environment.startMonitor({ model: watched.name, pipeline: watched.name, version: 1, spec: specOf(0) });
  const each = Math.ceil(ticks / monitors);
  while (all.some(({ watched }) => watched.looks < each)) {
    const left = each - Math.min(...all.map(({ watched }) => watched.looks));
    await environment.temporal.sleep(Math.min(left, TICKS_PER_SLEEP) * EVERY_SECONDS * 1_000 + 1_000);
  }
  for (const { watched } of all) await environment.client.workflow.getHandle(`monitor/${watched.name}`).terminate();
  // What was found last is in the ledger a moment later.
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  const rows = (): number => sum(all.map(({ scenario }) => scenario.triggers.size));
  const findings = sum(all.map(({ scenario }) => scenario.submitted.length));
  for (let wait = 0; wait < 100 && rows() < findings; wait += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  for (const { watched } of all) await environment.client.workflow.getHandle(`triggers/${watched.name}`).terminate();
  return {
    ticks: sum(all.map(({ watched }) => watched.looks)),
    executions: executions.size,
    longestHistory: Math.max(...(await historyLengths(environment, executions))),
    findings,
    ledgerRows: rows(),
    // The last one may have come after the last look.
    signalsSent: sum(all.map(({ watched }) => watched.sent - (watched.looks % SIGNAL_EVERY === 0 ? 1 : 0))),
    signalsSeen: sum(all.map(({ watched }) => [...watched.markers].filter((marker) => marker > 0 && !(watched.looks % SIGNAL_EVERY === 0 && marker === watched.sent)).length)),
    gaps: sum(all.map(({ watched }) => watched.seen.filter((window, index) => window !== index).length)),
  };
};
