/** The one place that tells an outage of the Temporal server from a mistake. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { PerennialFailure } from '../../domain/failure.ts';

/** gRPC status codes that a retry may outlast: cancelled, deadline exceeded, resource exhausted, aborted, unavailable. */
const OUTAGES = new Map([
  [1, 'cancelled'],
  [4, 'no answer in time'],
  [8, 'too busy'],
  [10, 'aborted'],
  [14, 'unavailable'],
]);

/** Bound on one question: an outage becomes an error, never a hang. */
const DEADLINE_MS = 10_000;

const outageOf = (error: unknown): string | undefined => {
  if (isGrpcServiceError(error)) return OUTAGES.get(error.code);
  return error instanceof Error && error.cause !== undefined ? outageOf(error.cause) : undefined;
};

/**
 * Runs one question to the Temporal server.
 * @throws PerennialFailure TemporalUnavailable in an outage; any other error goes through
 */
export const askTemporal = async <T>(client: Client, question: () => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> => {
  try {
    return await client.withDeadline(Date.now() + deadlineMs, question);
  } catch (error) {
    const outage = outageOf(error);
    if (outage === undefined) throw error;
    throw new PerennialFailure('TemporalUnavailable', `the Temporal server cannot be reached (${outage})`, { cause: error });
  }
};
