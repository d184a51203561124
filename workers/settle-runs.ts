/**
 * Brings the rows of closed runs to what Temporal says of them, and keeps their histories beyond Temporal's retention.
 * A run whose last write failed, or that was terminated, would look open for ever otherwise.
 */
import { pipelineOfRunId } from '../contracts/ids.ts';
import type { RunState } from '../contracts/run.ts';
import type { RunEnd } from '../domain/alerts.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import type { ClosedRun } from '../adapters/temporal/closed-runs.ts';
import type { Logger } from './logger.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 5_000;
/** Runs of one look; the least recently looked at come first. */
const RUNS_AT_ONCE = 50;

/** A terminated run undid nothing. */
const ALARMING: ReadonlySet<RunState> = new Set(['failed', 'terminated']);

export type SettlementPorts = {
  ledger: RunLedger;
  artifacts: ArtifactStore;
  /** Told of a run that failed, and whose end could not be written, or that was terminated: nobody could report it then. Telling it twice is the same. */
  reportEnd: (end: RunEnd) => Promise<void>;
  closedRun: (run: { workflowId: string; isEnding: boolean }) => Promise<ClosedRun | undefined>;
};

type UnsettledRun = Awaited<ReturnType<RunLedger['unsettledRuns']>>[number];

const settleRun = async ({ ledger, artifacts, closedRun, reportEnd }: SettlementPorts, run: UnsettledRun): Promise<boolean> => {
  const isEnding = run.state !== 'running';
  const closed = await closedRun({ workflowId: run.workflowId, isEnding });
  if (closed === undefined) return false;
  const pipeline = pipelineOfRunId(run.runId);
  if (!isEnding && ALARMING.has(closed.end.state) && pipeline !== undefined) await reportEnd({ pipeline, runId: run.runId, ...closed.end });
  const artifact = await artifacts.put(Buffer.from(closed.history));
  await ledger.settleRun(run.runId, { ...closed.end, history: { artifact, events: closed.events } });
  return true;
};

/** One look at the unsettled runs. A run that cannot be settled does not hold up the others. */
export const settleRuns = async (ports: SettlementPorts, logger: Logger): Promise<number> => {
  let settled = 0;
  for (const run of await ports.ledger.unsettledRuns(RUNS_AT_ONCE)) {
    try {
      if (await settleRun(ports, run)) settled += 1;
    } catch (error) {
      logger.warn({ runId: run.runId, error: String(error) }, 'a run could not be settled; it is tried again');
    }
  }
  return settled;
};

/** Settles runs every 5 s until `stop`. */
export const keepSettlingRuns = (ports: SettlementPorts, logger: Logger): { stop: () => Promise<void> } =>
  repeat(async () => {
    try {
      await settleRuns(ports, logger);
    } catch (error) {
      logger.warn({ error: String(error) }, 'unsettled runs could not be read');
    }
  }, EVERY_MS);
