/** `searchTrial`: one trial of a search, fitted and judged. What its parameters caused is its outcome; what they did not is the failure of the search. */
import { isCancellation, TemporalFailure } from '@temporalio/workflow';
import type { FailureCode } from '../contracts/failures.ts';
import type { TrialInput, TrialOutcome } from '../contracts/search.ts';
import { codeOf, failureRecordOf, toWorkflowFailure } from './failure.ts';
import { io, trialTraining } from './proxies.ts';

/** A trainer that ends abnormally is tried at most this often, as in the train step. */
const TRAINER_ATTEMPTS = 3;

/** Failures that other parameters may not have. */
const OWN_FAILURES: ReadonlySet<FailureCode> = new Set(['TrainerRejectedInput', 'TrainerFailed', 'TrainerCrashed', 'TrainerOutputInvalid', 'ModelRefused', 'ModelFailed', 'ParityFailed']);

type Spent = { seconds: number };

const train = async (input: TrialInput, spent: Spent) => {
  const { pool, scheduleToStartSeconds, number } = input;
  for (let attempt = 1; ; attempt += 1) {
    const seconds = Math.max(1, Math.floor(input.seconds - spent.seconds));
    const summary = `trial ${number}${attempt === 1 ? '' : `, attempt ${attempt}`}`;
    const beganAtMs = Date.now();
    try {
      const training = await trialTraining({ summary, pool, scheduleToStartSeconds, seconds }).trainTrial({ ...input, seconds });
      spent.seconds += training.seconds;
      return training.trained;
    } catch (error) {
      spent.seconds += Math.min(seconds, (Date.now() - beganAtMs) / 1_000);
      if (codeOf(error) !== 'TrainerCrashed' || attempt >= TRAINER_ATTEMPTS || spent.seconds >= input.seconds) throw error;
    }
  }
};

export const searchTrial = async (input: TrialInput): Promise<TrialOutcome> => {
  const spent: Spent = { seconds: 0 };
  try {
    const trained = await train(input, spent);
    const { seconds } = spent;
    const { value } = await io(`${input.metric} on ${input.rows.validationRows} rows`).scoreTrial({ trial: input, trained, seconds });
    return { kind: 'succeeded', value, seconds };
  } catch (error) {
    if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
    const failure = failureRecordOf(error, { step: 'train', pool: input.pool });
    const code = codeOf(error);
    if (failure.code === 'TrainerTimedOut' && code !== null) return { kind: 'reservationUsed', seconds: input.seconds };
    if (code !== null && OWN_FAILURES.has(code)) return { kind: 'failed', failure, seconds: spent.seconds };
    throw toWorkflowFailure(failure, error);
  }
};
