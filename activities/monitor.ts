/** Steps of a monitor: closes windows of the prediction log, and judges them again when labels come. */
import { log } from '@temporalio/activity';
import type { MonitorActivities } from '../contracts/activities.ts';
import { CHAMPION } from '../contracts/ids.ts';
import type { MonitorWindow } from '../contracts/monitor.ts';
import { isReadable } from '../domain/concept-drift/detector.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import { effect } from './boundary.ts';
import { createReferenceReader, type MonitorReference } from './monitor-reference.ts';
import { evaluateWindow, summaryOf, type MonitorLook, type WindowPorts } from './monitor-window.ts';

export type MonitorPorts = WindowPorts & { registry: ModelRegistry; artifacts: ArtifactStore };

/** Windows that one call judges again; the rest waits for the next look, which is `everySeconds` away. */
const REJUDGED_AT_ONCE = 5;
/** Windows that waited for their labels and are read by the detector of concept drift in one call. */
const READ_AT_ONCE = 5;
const REMEMBERED_WINDOWS = 10_000;

/** An old window that cannot be read any more (its segment was lost, say) must not keep the next one from being closed. */
const rejudge = async (ports: MonitorPorts, input: MonitorLook, window: number, reference: MonitorReference): Promise<MonitorWindow | undefined> => {
  try {
    return await evaluateWindow(ports, input, window, reference);
  } catch (error) {
    log.warn('a window could not be judged again', { model: input.model, window, error: String(error) });
    return undefined;
  }
};

/**
 * Remembers what this process has told of each window, so that a window that is judged again without news is not told again.
 * A repeated attempt tells everything: the answer of the one before may have been lost.
 */
const createTold = () => {
  const told = new Map<string, string>();
  return (input: MonitorLook, window: MonitorWindow, attempt: number): boolean => {
    const key = `${input.model}/${window.version}/${window.window}`;
    const news = `${window.labelled} labels, ${window.concept ? 'read' : 'not read'}`;
    const isTold = attempt === 1 && told.get(key) === news;
    if (told.size >= REMEMBERED_WINDOWS) told.clear();
    told.set(key, news);
    return isTold;
  };
};

type Look = { input: MonitorLook; attempt: number; reference: MonitorReference; isTold: ReturnType<typeof createTold> };

/** Windows whose turn came after their labels: one before them had to be read first, or the patience with their labels is over. */
const readWaiting = async (ports: MonitorPorts, { input, reference }: Look): Promise<MonitorWindow[]> => {
  const { concept } = input.spec;
  const read: MonitorWindow[] = [];
  while (concept !== undefined && read.length < READ_AT_ONCE) {
    const next = await ports.windows.nextUnread(input.model, input.version);
    if (next === undefined || !isReadable(concept, { ...next, closedAtMs: Date.parse(next.to) }, Date.now())) break;
    const judged = await rejudge(ports, input, next.window, reference);
    if (judged?.concept === undefined || judged.concept === null) break;
    read.push(judged);
  }
  return read;
};

const evaluate = async (ports: MonitorPorts, look: Look) => {
  const { input, attempt, reference, isTold } = look;
  const { model, version, nextWindow } = input;
  const changed: MonitorWindow[] = [];
  for (const window of await ports.windows.awaitingLabels(model, version, REJUDGED_AT_ONCE)) {
    const judged = await rejudge(ports, input, window, reference);
    if (judged !== undefined && !isTold(input, judged, attempt)) changed.push(summaryOf(judged));
  }
  const closed = await evaluateWindow(ports, input, nextWindow, reference);
  if (closed !== undefined) {
    isTold(input, closed, attempt);
    changed.push(summaryOf(closed));
  }
  for (const judged of await readWaiting(ports, look)) if (!isTold(input, judged, attempt)) changed.push(summaryOf(judged));
  return { nextWindow: closed === undefined ? nextWindow : nextWindow + 1, changed };
};

type Decision = Parameters<MonitorActivities['recordMonitorDecision']>[0] & { version?: number };

/** A monitor watches the champion: without a version, the decision is about a window of that one. */
const recordDecision = async ({ registry, windows }: MonitorPorts, { model, version, window, decision }: Decision): Promise<void> => {
  const decided = version ?? (await registry.alias(model, CHAMPION));
  if (decided !== undefined) await windows.recordDecision(model, decided, window, decision);
};

export const createMonitorActivities = (ports: MonitorPorts): Pick<MonitorActivities, 'evaluateMonitorWindows' | 'recordMonitorDecision'> => {
  const readReference = createReferenceReader(ports);
  const isTold = createTold();
  return {
    evaluateMonitorWindows: effect(async (input: MonitorLook, { attempt }) =>
      evaluate(ports, { input, attempt, isTold, reference: await readReference(input.model, input.version) }),
    ),
    recordMonitorDecision: effect((input: Decision) => recordDecision(ports, input)),
  };
};
