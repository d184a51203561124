/** Starts rollouts and steers the running one. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { z } from 'zod';
import { composeRolloutId, rolloutWorkflowId, SEARCH_ATTRIBUTES } from '../../contracts/ids.ts';
import { abortUpdate, pauseUpdate, promoteUpdate, resumeUpdate } from '../../contracts/messages.ts';
import { taskQueueOf, WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { RolloutReason, type RolloutInput } from '../../contracts/rollout.ts';
import { StartRolloutRequest } from '../../contracts/rollout-plan.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { RequestRefused } from '../http/problem.ts';
import { IDEMPOTENT, ModelParams, problems } from '../http/schemas.ts';
import type { Answer } from '../http/idempotency.ts';
import { rolloutContradictions } from '../pipelines/contradictions.ts';
import { temporalLink } from '../runs/run-links.ts';
import { sendUpdate } from '../temporal/updates.ts';
import { requireModel } from '../models/routes.ts';

const StartedRollout = z.object({
  rolloutId: z.string(),
  workflowId: z.string(),
  model: z.string(),
  version: z.number().int(),
  links: z.object({ deployment: z.string(), temporal: z.string() }),
});

const Steered = z.object({ model: z.string(), accepted: z.string() });

const requireVersion = async (context: ApiContext, model: string, version: number): Promise<void> => {
  await requireModel(context, model);
  const row = await context.database.selectFrom('model_versions').select('version').where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${version}`);
};

type RolloutMemo = { request?: string; version?: number; requestedBy?: string };

/** The running rollout, when it was started by this very request: its answer was lost on the way. */
const ownRollout = async ({ temporalCalls }: ApiContext, { model, digest }: { model: string; digest: string }): Promise<string> => {
  const running = await temporalCalls.call((client) => client.workflow.getHandle(rolloutWorkflowId(model)).describe());
  const memo = running.memo as RolloutMemo | undefined;
  if (memo?.request === digest) return running.raw.workflowExecutionInfo?.firstRunId || running.runId;
  const who = memo?.version === undefined ? '' : `: version ${memo.version}, asked for by ${memo.requestedBy ?? 'a run'}`;
  throw new PerennialFailure('RolloutAlreadyRunning', `a rollout of "${model}" is running since ${running.startTime.toISOString()}${who}`);
};

/** The id of the first execution, which names the rollout. */
const start = async (context: ApiContext, { input, digest }: { input: RolloutInput; digest: string }): Promise<string> => {
  const { model } = input;
  const memo: RolloutMemo = { request: digest, version: input.version, requestedBy: input.requestedBy };
  try {
    const handle = await context.temporalCalls.call((client) =>
      client.workflow.start('rollout', {
        workflowId: rolloutWorkflowId(model),
        taskQueue: taskQueueOf(WORKFLOWS_POOL),
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        typedSearchAttributes: [{ key: defineSearchAttributeKey(SEARCH_ATTRIBUTES.model, 'KEYWORD'), value: model }],
        memo,
        staticSummary: `${model}, version ${input.version}`,
      }),
    );
    return handle.firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return ownRollout(context, { model, digest });
  }
};

const registerStart = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/rollouts',
    config: { policy: 'rollouts:write' },
    schema: {
      tags: ['deployments'],
      summary: 'Starts a rollout of a version; one at a time per model',
      params: ModelParams,
      headers: IDEMPOTENT,
      body: StartRolloutRequest,
      response: { 202: StartedRollout, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { model } = request.params;
      const { version, ...plan } = request.body;
      const contradictions = rolloutContradictions(plan);
      if (contradictions.length > 0) throw new RequestRefused('InvalidRequest', contradictions);
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `rollout ${model}`, content: request.body }, async ({ digest }): Promise<Answer> => {
        await requireVersion(context, model, version);
        const firstRunId = await start(context, { digest, input: { model, version, plan, requestedBy: `api/${principal.name}` } });
        const rolloutId = composeRolloutId(model, firstRunId);
        await audit(context.database, principal, { action: 'rollout.start', subject: model, detail: { rolloutId, version } });
        const workflowId = rolloutWorkflowId(model);
        const links = { deployment: `/api/v1/models/${encodeURIComponent(model)}/deployment`, temporal: temporalLink(context.temporal, workflowId) };
        return { status: 202, body: { rolloutId, workflowId, model, version, links } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof StartedRollout>);
    },
  });
};

const STEERING = { promote: promoteUpdate, pause: pauseUpdate, resume: resumeUpdate, abort: abortUpdate };
type Steering = keyof typeof STEERING;

const SUMMARIES: Record<Steering, string> = {
  promote: 'Promotes the canary now, without the remaining steps',
  pause: 'Holds the rollout at its present weight',
  resume: 'Goes on with a paused rollout',
  abort: 'Takes the canary back: all traffic to the stable version',
};

export const rolloutNotRunning = (model: string): PerennialFailure => new PerennialFailure('RolloutNotRunning', `no rollout of "${model}" is running`);

const registerSteering = (app: App, context: ApiContext, act: Steering): void => {
  app.route({
    method: 'POST',
    url: `/api/v1/models/:model/rollout/${act}`,
    config: { policy: 'rollouts:write' },
    schema: {
      tags: ['deployments'],
      summary: SUMMARIES[act],
      params: ModelParams,
      headers: IDEMPOTENT,
      body: RolloutReason.nullish(),
      response: { 202: Steered, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { model } = request.params;
      const { reason } = request.body ?? RolloutReason.parse({});
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `rollout ${act} ${model}`, content: request.body }, async ({ digest }): Promise<Answer> => {
        await requireModel(context, model);
        const absent = () => rolloutNotRunning(model);
        await sendUpdate(context, { workflowId: rolloutWorkflowId(model), name: STEERING[act].name, args: [{ by: principal.name, reason }], updateId: digest, absent });
        await audit(context.database, principal, { action: `rollout.${act}`, subject: model, detail: { reason } });
        return { status: 202, body: { model, accepted: act } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof Steered>);
    },
  });
};

export const registerRolloutRoutes = (app: App, context: ApiContext): void => {
  registerStart(app, context);
  for (const act of Object.keys(STEERING) as Steering[]) registerSteering(app, context, act);
};
