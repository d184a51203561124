/** Every call to the Temporal server goes through here: bounded in time, and an outage has its name. */
import { isGrpcServiceError, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { PerennialFailure } from '../../domain/failure.ts';

type CallOptions = {
  /** Default 6 s: long enough for a server that is just being restarted. */
  boundMs?: number;
  /** For looks that are repeated: while the server is known to be away, one in a second asks and the others fail at once. */
  impatient?: boolean;
  /** For queries, updates and results: no answer in time may be the workflow's silence, which says nothing of the server. */
  ofWorkflow?: boolean;
};

export type TemporalCalls = {
  /** @throws PerennialFailure TemporalUnavailable when the server does not answer within the bound; other errors as they are */
  call<T>(work: (client: Client) => Promise<T>, options?: CallOptions): Promise<T>;
};

const BOUND_MS = 6_000;
/** How much longer than its own deadline a call is waited for: the client sometimes passes it while it reconnects. */
const SLACK_MS = 500;

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const OUTAGE_CODES = new Set([CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE]);

const isOutage = (error: unknown): boolean => {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && OUTAGE_CODES.has(cause.code);
};

const unavailable = (cause?: unknown): PerennialFailure => new PerennialFailure('TemporalUnavailable', 'the Temporal server does not answer', { cause });

/** Rejects when the time is over, so that nothing waits for a call that forgot its deadline. */
const within = async <T>(promise: Promise<T>, boundMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable()), boundMs);
  });
  try {
    return await Promise.race([promise, bound]);
  } finally {
    clearTimeout(timer);
  }
};

const AWAY_MS = 1_000;

const isUnavailable = (error: unknown): boolean => error instanceof PerennialFailure && error.code === 'TemporalUnavailable';

export const createTemporalCalls = (client: Client): TemporalCalls => {
  /** Until when the server counts as away; undefined while it answers. */
  let awayUntil: number | undefined;

  const ask = async <T>(work: (client: Client) => Promise<T>, boundMs: number): Promise<T> => {
    try {
      return await within(client.withDeadline(Date.now() + boundMs, () => work(client)), boundMs + SLACK_MS);
    } catch (error) {
      throw isOutage(error) ? unavailable(error) : error;
    }
  };

  return {
    call: async (work, { boundMs = BOUND_MS, impatient = false, ofWorkflow = false } = {}) => {
      if (impatient && awayUntil !== undefined) {
        if (Date.now() < awayUntil) throw unavailable();
        // This one asks for all that come meanwhile.
        if (!ofWorkflow) awayUntil = Date.now() + boundMs + SLACK_MS;
      }
      try {
        const answer = await ask(work, boundMs);
        awayUntil = undefined;
        return answer;
      } catch (error) {
        if (!isUnavailable(error)) awayUntil = undefined;
        else if (!ofWorkflow) awayUntil = Date.now() + AWAY_MS;
        throw error;
      }
    },
  };
};
