/** What Temporal says of a closed run: its end, and its history in the form that can be replayed. */
import { WorkflowNotFoundError, defaultPayloadConverter, type Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { FAILURES, isFailureCode } from '../../contracts/failures.ts';
import type { FailureRecord, RunOutcome, RunState } from '../../contracts/run.ts';
import { askTemporal } from './ask-temporal.ts';
import { historyToJson } from './history-json.ts';

export type ClosedRun = {
  end: { state: RunState; failure?: FailureRecord };
  /** proto3 JSON, as the Temporal CLI writes and reads it. */
  history: string;
  events: number;
};

type HistoryEvent = NonNullable<History['events']>[number];
type Failure = NonNullable<NonNullable<HistoryEvent['workflowExecutionFailedEventAttributes']>['failure']>;

const isRecord = (value: unknown): value is FailureRecord =>
  typeof value === 'object' && value !== null && typeof (value as FailureRecord).code === 'string' && typeof (value as FailureRecord).message === 'string';

const recordOf = (code: string, message: string): FailureRecord => {
  const known = isFailureCode(code) ? code : 'Internal';
  return { code: known, message, fix: FAILURES[known].fix };
};

/** A workflow that fails on purpose carries its record as the first detail. */
const failureOf = (failure: Failure | null | undefined): FailureRecord => {
  const [payload] = failure?.applicationFailureInfo?.details?.payloads ?? [];
  const detail: unknown = payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
  if (isRecord(detail)) return detail;
  return recordOf(failure?.applicationFailureInfo?.type ?? '', failure?.message ?? 'the workflow failed and did not say why');
};

const stateOfResult = (event: HistoryEvent): RunState => {
  const [payload] = event.workflowExecutionCompletedEventAttributes?.result?.payloads ?? [];
  const outcome = payload === undefined ? undefined : defaultPayloadConverter.fromPayload<RunOutcome | null>(payload);
  return outcome?.kind ?? 'succeeded';
};

/** The end that the last event of a history tells; undefined when it is not a closing one. */
const endOf = (event: HistoryEvent | undefined): ClosedRun['end'] | undefined => {
  if (event?.workflowExecutionCompletedEventAttributes) return { state: stateOfResult(event) };
  if (event?.workflowExecutionFailedEventAttributes) return { state: 'failed', failure: failureOf(event.workflowExecutionFailedEventAttributes.failure) };
  if (event?.workflowExecutionCanceledEventAttributes) return { state: 'cancelled' };
  if (event?.workflowExecutionTerminatedEventAttributes) {
    const reason = event.workflowExecutionTerminatedEventAttributes.reason || 'no reason was given';
    return { state: 'terminated', failure: recordOf('RunTerminated', `the run was terminated: ${reason}`) };
  }
  if (event?.workflowExecutionTimedOutEventAttributes) return { state: 'failed', failure: recordOf('Internal', 'the run did not end in its time') };
  return undefined;
};

/**
 * Reads a run; undefined while it is open, and when Temporal does not know it (any more). Whether it is open is asked first, because
 * the history of an open run may be long; not so for one that `isEnding`: its row has its end already.
 * @throws PerennialFailure TemporalUnavailable while the server cannot be reached
 */
export const createClosedRuns =
  (client: Client) =>
  async ({ workflowId, isEnding }: { workflowId: string; isEnding: boolean }): Promise<ClosedRun | undefined> => {
    const handle = client.workflow.getHandle(workflowId);
    try {
      if (!isEnding && (await askTemporal(client, () => handle.describe())).status.name === 'RUNNING') return undefined;
      const history = await askTemporal(client, () => handle.fetchHistory());
      const end = endOf(history.events?.at(-1));
      return end === undefined ? undefined : { end, history: historyToJson(history), events: history.events?.length ?? 0 };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };
