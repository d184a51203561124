/**
 * Activity options by profile. Each profile bounds one attempt and all attempts together, and says why running an activity again is safe.
 * The codes of contracts/failures.ts that a retry cannot mend arrive marked non-retryable; all others are retried.
 *
 * A profile is a function of the summary, because the Web UI shows the summary of each activity.
 */
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { AlertActivities, MonitorActivities, ReproductionActivities, RolloutActivities, RunActivities, SearchActivities, StepActivities, TickActivities, TriggerActivities } from '../contracts/activities.ts';
import { DATA_POOL, taskQueueOf, type Pool } from '../contracts/queues.ts';

/**
 * A cancelled activity is waited for: the undo of a rollout begins when the act has ended, and a cancelled run ends when its
 * trainer has stopped. A worker that died meanwhile is waited for no longer than one attempt, or one heartbeat, may take.
 */
const COMMON = { cancellationType: 'WAIT_CANCELLATION_COMPLETED' } satisfies ActivityOptions;

const BACKOFF = { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 30_000 } satisfies ActivityOptions['retry'];

/** How long a step may wait for a worker of the data pool. */
export const DATA_SCHEDULE_TO_START_SECONDS = 3_600;

type RecordActivities = RunActivities & Pick<ReproductionActivities, 'loadRecord'> & RolloutActivities & MonitorActivities & TriggerActivities & AlertActivities & Pick<SearchActivities, 'recordTrial'>;

/**
 * Short transactions in the registry and signals to other workflows. Safe to repeat: every write is absolute or keyed
 * (run and step, rollout and sequence, request id, trigger id). An hour of outage is outlasted.
 */
export const quick = (summary: string) =>
  proxyActivities<RecordActivities>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '1 hour',
    retry: BACKOFF,
  });

/**
 * As `quick`, retried until done: undoing a rollout, and what follows a promotion, must happen however long the outage is.
 * So there is no bound on all attempts together; the workflow has no execution time-out either.
 */
export const untilDone = (summary: string) =>
  proxyActivities<RecordActivities>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '10 seconds',
    retry: BACKOFF,
  });

/**
 * One attempt to send a message. An answer of the receiver is a result, which the incident judges and spaces out itself; what is retried here is a
 * worker that died or a database that is away. Safe to repeat: a message that was sent is not sent again, and one whose sending was not
 * written down goes out under the same id.
 */
export const alerting = (summary: string) =>
  proxyActivities<Pick<AlertActivities, 'deliverAlert'>>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '1 minute',
    heartbeatTimeout: '10 seconds',
    retry: BACKOFF,
  });

/**
 * A tick of a schedule, and whether a run has ended, retried until done: an outage that failed a tick would pause the schedule for something that is no
 * failure of its run. Safe to repeat: the tick is known by its scheduled time, a cancel request may come twice, and the others only read.
 */
export const ticking = (summary: string) =>
  proxyActivities<TickActivities>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '15 seconds',
    retry: BACKOFF,
  });

/**
 * The record of a run that fails or is cancelled. It is bounded, because the failure may be that there is no worker that could
 * write it; the reconciler brings a row that was missed to what Temporal says of the closed run.
 */
export const closing = (summary: string) =>
  proxyActivities<RunActivities & Pick<SearchActivities, 'recordTrial'>>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '10 minutes',
    retry: BACKOFF,
  });

/**
 * Waiting for the gateways to load and acknowledge a generation. It only reads, so it is safe to repeat. The bound is that of
 * a large model on a slow disk, and of a gateway fleet that is being replaced.
 */
export const gateways = (summary: string) =>
  proxyActivities<Pick<RolloutActivities, 'awaitGateways'>>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '15 minutes',
    scheduleToCloseTimeout: '1 hour',
    heartbeatTimeout: '30 seconds',
    retry: { ...BACKOFF, maximumInterval: 10_000 },
  });

type StepOptions = { summary: string; pool: Pool; scheduleToStartSeconds: number };

/** Built-in steps that do nothing: safe to repeat for that reason. */
export const noop = ({ summary, pool, scheduleToStartSeconds }: StepOptions) =>
  proxyActivities<Pick<StepActivities, 'noop'>>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(pool),
    startToCloseTimeout: '1 minute',
    scheduleToStartTimeout: scheduleToStartSeconds * 1_000,
    scheduleToCloseTimeout: scheduleToStartSeconds * 1_000 + 3_600_000,
    retry: BACKOFF,
  });

/**
 * Steps that read and write data. Safe to repeat: their outputs are content-addressed, their rows are keyed by run and step.
 * The number of attempts is bounded (about an hour of backoff), so that an outage without end ends as a failed run; an error that nobody judged ends it
 * in minutes (activities/boundary.ts).
 */
export const io = (summary: string) =>
  proxyActivities<Pick<StepActivities, 'ingest' | 'check' | 'features' | 'evaluate' | 'register'> & Pick<SearchActivities, 'prepareSearch' | 'scoreTrial'> & Pick<ReproductionActivities, 'compareReproduction'>>({
    ...COMMON,
    summary,
    taskQueue: taskQueueOf(DATA_POOL),
    startToCloseTimeout: '6 hours',
    scheduleToStartTimeout: DATA_SCHEDULE_TO_START_SECONDS * 1_000,
    scheduleToCloseTimeout: '24 hours',
    heartbeatTimeout: '30 seconds',
    retry: { ...BACKOFF, maximumInterval: 60_000, maximumAttempts: 60 },
  });

/** The trainer's own deadline comes first, with the last lines of its log; this margin only catches a worker that does not keep it. */
const TRAINER_MARGIN_SECONDS = 60;

type TrainingOptions = StepOptions & { seconds: number };

const trainingOptions = ({ summary, pool, scheduleToStartSeconds, seconds }: TrainingOptions): ActivityOptions => ({
  ...COMMON,
  summary,
  taskQueue: taskQueueOf(pool),
  startToCloseTimeout: (seconds + TRAINER_MARGIN_SECONDS) * 1_000,
  scheduleToStartTimeout: scheduleToStartSeconds * 1_000,
  scheduleToCloseTimeout: (scheduleToStartSeconds + seconds + TRAINER_MARGIN_SECONDS) * 1_000,
  heartbeatTimeout: '30 seconds',
  retry: { ...BACKOFF, nonRetryableErrorTypes: ['TrainerCrashed'] },
});

/**
 * Training. Safe to repeat: outputs are content-addressed, and a repeated attempt goes on from the checkpoint in the last heartbeat.
 * A lost worker (no heartbeat) and TrainerInterrupted are repeated within the time of the step; TrainerCrashed comes back to the
 * workflow, which counts crashes, because a retry policy cannot count one kind of failure.
 */
export const heavy = (options: TrainingOptions) => proxyActivities<Pick<StepActivities, 'train'>>(trainingOptions(options));

/** As `heavy`, for one trial of a search; its row is keyed by run and number, and a report that is sent again counts once. */
export const trialTraining = (options: TrainingOptions) => proxyActivities<Pick<SearchActivities, 'trainTrial'>>(trainingOptions(options));
