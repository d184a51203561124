/**
 * Every failure that Perennial names: one table for activities, API, gateway and CLI. Zod-free.
 *
 * `retryable: false` marks a mistake that a retry cannot mend (the user's input, a refused gate);
 * `retryable: true` an outage that backoff may outlast. `fix` is what a user can do about it.
 */
export type FailureDefinition = { retryable: boolean; httpStatus: number; title: string; fix: string };

const userMistake = (httpStatus: number, title: string, fix: string): FailureDefinition => ({ retryable: false, httpStatus, title, fix });
const outage = (title: string, fix: string): FailureDefinition => ({ retryable: true, httpStatus: 503, title, fix });

export const FAILURES = {
  // requests
  InvalidRequest: userMistake(400, 'The request is not valid', 'Correct the field that the error names.'),
  InvalidPipeline: userMistake(400, 'The pipeline is not valid', 'Correct the field at the path that the error names.'),
  MalformedBody: userMistake(400, 'The body is not valid JSON or YAML', 'Send well-formed JSON, or YAML with content-type application/yaml.'),
  UnsupportedMediaType: userMistake(415, 'The content type is not supported', 'Send application/json or application/yaml.'),
  PayloadTooLarge: userMistake(413, 'The body is too large', 'Send a smaller body.'),
  Unauthenticated: userMistake(401, 'A valid API key is needed', 'Send the header "Authorization: Bearer perennial_…".'),
  PermissionDenied: userMistake(403, 'The role of this API key does not allow this', 'Use a key whose role allows it.'),
  RouteNotFound: userMistake(404, 'There is no such route', 'See /openapi.json for the routes.'),
  PipelineNotFound: userMistake(404, 'There is no such pipeline', 'Apply it first: perennial apply -f pipeline.yaml'),
  RunNotFound: userMistake(404, 'There is no such run', 'List the runs: perennial run list'),
  ModelNotFound: userMistake(404, 'There is no such model', 'List the models: perennial model list'),
  ModelVersionNotFound: userMistake(404, 'There is no such model version', 'See the versions: perennial model get'),
  RecordIncomplete: userMistake(422, 'The record of the version is not complete', 'Only a version whose run and artifacts are kept can be repeated.'),
  DatasetNotFound: userMistake(404, 'There is no such dataset or version', 'List the datasets: perennial dataset list'),
  FeatureSetNotFound: userMistake(404, 'There is no such feature set', 'See the lineage of a model version: perennial lineage model:<name>@<version>'),
  DeploymentNotFound: userMistake(404, 'There is no such generation of a deployment', 'See the present one: perennial deployment status'),
  InferenceNotFound: userMistake(404, 'The prediction log does not have this inference', 'Give the x-request-id of an answer of this model; gateways ship their log every few seconds.'),
  ArtifactNotFound: userMistake(404, 'The artifact is not in the store', 'It was deleted or the store is another one; run the step that makes it again.'),
  RolloutNotRunning: userMistake(409, 'No rollout of this model is running', 'Start one: POST /api/v1/models/{model}/rollouts'),
  RolloutAlreadyRunning: userMistake(409, 'A rollout of this model is running', 'Wait for it, or abort it first.'),
  RunNotWaiting: userMistake(409, 'The run does not wait for an approval', 'Look at its state: perennial run get'),
  RunAlreadyFinished: userMistake(409, 'The run has ended', 'Start a new one, or retry it.'),
  RunTerminated: userMistake(409, 'The run was terminated by hand', 'What it had begun is not undone: look at the deployment (perennial deployment status); cancel a run instead, which undoes it.'),
  IdempotencyKeyReused: userMistake(409, 'The Idempotency-Key was used with another body', 'Use a new key for a new request.'),
  AlertNotFound: userMistake(404, 'There is no such alert', 'List the alerts: perennial alert list'),
  AlertNotOpen: userMistake(409, 'The incident is over', 'Look at it: perennial alert get'),
  SilenceNotFound: userMistake(404, 'There is no such silence', 'List the silences: perennial silence list'),
  AliasConflict: userMistake(409, 'The alias does not name the version that was expected', 'Read the alias and decide again.'),
  AliasFollowsRollout: userMistake(409, 'The champion of a deployed model is moved by its rollout', 'Start a rollout of the version, or a rollback.'),
  NothingToRollBackTo: userMistake(409, 'There is no earlier version to roll back to', 'Roll out a version first.'),
  ScheduleNotFound: userMistake(404, 'There is no such schedule', 'List the schedules: perennial schedule list'),
  ScheduleDeclared: userMistake(409, 'The schedule is declared in its pipeline', 'Change it there, and apply the pipeline.'),
  ScheduleInvalid: userMistake(400, 'Temporal refused the schedule', 'Correct cron, timeZone or everySeconds; see the message.'),
  ScheduledRunFailed: userMistake(422, 'The run of a scheduled tick failed', 'See the run that the message names.'),
  // data
  SourceNotAllowed: userMistake(422, 'The source lies outside the allowed folders', 'Move the files, or add the folder to PERENNIAL_SOURCE_ROOTS.'),
  SourceNotFound: userMistake(422, 'No file matches the source', 'Check the path or glob in source.tables.'),
  SourceCorrupt: userMistake(422, 'A source file cannot be read', 'Replace the file that the error names.'),
  SchemaChanged: userMistake(422, 'The partitions of a table do not have one schema', 'Make the columns and types of the named file agree with the others.'),
  DataChecksFailed: userMistake(422, 'The data failed its checks', 'Correct the rows that the check report names.'),
  FeatureQueryInvalid: userMistake(422, 'The feature SQL is not valid', 'Correct the SQL at the place that DuckDB names.'),
  FeatureMissing: userMistake(422, 'A declared column is not in the features', 'Select it in features.sql, or remove it from the declaration.'),
  FeatureTypeWrong: userMistake(422, 'A feature does not have its declared type', 'Cast it in features.sql, or declare its real type.'),
  MissingValueForbidden: userMistake(422, 'A feature has missing values that its declaration forbids', 'Declare missing: allowed, or fill the values in features.sql.'),
  LabelInvalid: userMistake(422, 'The label is absent or not what the task needs', 'Select a label of 0 and 1 (or false and true) in features.sql, for a regression one of numbers that differ.'),
  LabelHasOneClass: userMistake(422, 'The label has only one class', 'Choose a window that has both classes.'),
  SplitEmpty: userMistake(422, 'A part of the split has no rows', 'Choose a window that holds data.'),
  // training
  TrainerNotFound: userMistake(422, 'The trainer cannot be started', 'Check train.trainer: the command must exist and be executable on the worker.'),
  TrainerRejectedInput: userMistake(422, 'The trainer refused its input', 'See the message and the last log lines.'),
  TrainerFailed: userMistake(422, 'The trainer failed after its retries', 'See the last log lines in the run.'),
  TrainerCrashed: outage('The trainer ended abnormally', 'It is retried at most twice; see the last log lines.'),
  TrainerInterrupted: outage('The trainer was asked to stop and wrote a checkpoint', 'It goes on from the checkpoint.'),
  TrainerTimedOut: userMistake(422, 'The trainer passed its deadline', 'Raise train.timeoutSeconds, or train on less.'),
  TrainerOutputInvalid: userMistake(422, 'The trainer left no valid output', 'It must leave model.onnx, metrics.json and signature.json; see trainers/CONTRACT.md.'),
  ModelRefused: userMistake(422, 'The ONNX model is not allowed', 'Use only the operators of ai.onnx and ai.onnx.ml, no external data; see the message.'),
  ModelFailed: userMistake(422, 'The ONNX model failed while it scored', 'See the message of ONNX Runtime.'),
  SearchFoundNothing: userMistake(422, 'No trial of the hyper-parameter search succeeded', 'See why the trials ended: perennial run trials'),
  ParityFailed: userMistake(422, 'The ONNX model does not predict what the trainer predicts', 'Correct the conversion; see the largest difference.'),
  // waiting
  NoWorkerInPool: userMistake(503, 'No worker of the pool took the step in time', 'Start a worker of this pool, or route the step to another pool.'),
  RolloutQueueTimedOut: userMistake(409, 'Another rollout of the model kept running', 'Abort it, or raise rollout.queueSeconds.'),
  // rollout
  DeploymentConflict: userMistake(409, 'The deployment was changed by someone else', 'Look at the deployment and start again.'),
  GatewayLoadFailed: userMistake(422, 'A gateway could not load the version', 'See the message of the gateway.'),
  GatewaysUnavailable: outage('No gateway has a live lease', 'Start a gateway.'),
  // inference
  InferenceInvalid: userMistake(400, 'The inference request is not valid', 'Correct the field that the error names; see GET /v2/models/{model}.'),
  ModelUnavailable: outage('No version of the model can answer', 'Try again; look at the deployment.'),
  PredictionLogUnavailable: outage('The prediction log cannot be written', 'Free disk space on the gateway.'),
  ManagedByRollouts: userMistake(409, 'Deployments decide what is served', 'Start a rollout: perennial rollout start <model> <version>'),
  Overloaded: { retryable: true, httpStatus: 429, title: 'Too many requests wait for this model', fix: 'Try again after the time in Retry-After.' },
  // outages
  PostgresUnavailable: outage('PostgreSQL cannot be reached', 'It is retried; check the database.'),
  ArtifactStoreUnavailable: outage('The artifact store cannot be reached', 'It is retried; check the store.'),
  TemporalUnavailable: outage('The Temporal server cannot be reached', 'Try again; check the Temporal server.'),
  DiskFull: outage('The disk is full', 'Free disk space; the step is retried.'),
  ArtifactCorrupt: outage('The bytes of an artifact do not match their hash', 'They are read again; check the store.'),
  Internal: { retryable: true, httpStatus: 500, title: 'An unexpected error', fix: 'Tell the operators the id of this error.' },
} as const satisfies Record<string, FailureDefinition>;

export type FailureCode = keyof typeof FAILURES;

export const isFailureCode = (text: string): text is FailureCode => Object.hasOwn(FAILURES, text);
