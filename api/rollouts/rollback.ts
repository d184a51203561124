/**
 * Rollback: back to the version that was served before, whatever state the rollout is in.
 *
 * A running rollout is aborted, because its own undo knows best. One that lost its workflow (`orphaned`) is undone here. Without
 * either, the traffic and the champion alias go back to the champion before this one, or to a version that was asked for.
 */
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { TrafficSplit, type ServingOptions } from '../../contracts/deployment.ts';
import { rolloutWorkflowId } from '../../contracts/ids.ts';
import { abortUpdate } from '../../contracts/messages.ts';
import { RolloutReason, type RolloutOutcome } from '../../contracts/rollout.ts';
import { RolloutPlan } from '../../contracts/rollout-plan.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import type { Answer } from '../http/idempotency.ts';
import { IDEMPOTENT, ModelParams, problems } from '../http/schemas.ts';
import { requireModel } from '../models/routes.ts';
import { sendUpdate } from '../temporal/updates.ts';
import { liveRolloutOf, type LiveRollout, type RolloutRow } from './live-rollout.ts';
import { rolloutNotRunning } from './routes.ts';

const RollbackRequest = RolloutReason.extend({ version: z.number().int().positive().optional() });

const RolledBack = z.object({
  model: z.string(),
  how: z.enum(['aborted', 'restored', 'previous', 'version']).describe('aborted: the running rollout was; restored: an orphaned one was undone; previous, version: traffic went to that version.'),
  generation: z.number().int(),
  split: TrafficSplit,
});

type Rollback = { model: string; version: number | undefined; reason: string; by: string; digest: string };

const ABORT_BOUND_MS = 60_000;

/** Waits until the rollout has undone itself: only then is the traffic where the answer says. */
const abortRunning = async (context: ApiContext, { model, by, reason, digest }: Rollback): Promise<void> => {
  const workflowId = rolloutWorkflowId(model);
  await sendUpdate(context, { workflowId, name: abortUpdate.name, args: [{ by, reason }], updateId: digest, absent: () => rolloutNotRunning(model) });
  try {
    await context.temporalCalls.call((client) => client.workflow.getHandle(workflowId).result(), { boundMs: ABORT_BOUND_MS, ofWorkflow: true });
  } catch (error) {
    if (error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError) return;
    throw error;
  }
};

/** How gateways shall serve: as the deployment has it now. */
const optionsOf = async ({ database }: ApiContext, model: string): Promise<ServingOptions> => {
  const defaults = RolloutPlan.parse({});
  const row = await database.selectFrom('deployments').select('options').where('model', '=', model).executeTakeFirst();
  const options = (row?.options ?? {}) as Partial<ServingOptions>;
  return { salt: options.salt ?? model, deadlineMs: options.deadlineMs ?? defaults.deadlineMs, onLogFailure: options.onLogFailure ?? defaults.onLogFailure };
};

/** The stable version before the orphaned rollout began: what the generation before its first one served. */
const stableBefore = async ({ database }: ApiContext, model: string, rolloutId: string): Promise<number | null> => {
  const first = await database.selectFrom('deployment_generations').select('generation').where('model', '=', model).where('rollout_id', '=', rolloutId).orderBy('generation').executeTakeFirst();
  const { split } = await currentOf(database, model, first?.generation);
  return split.stable;
};

const currentOf = async (database: ApiContext['database'], model: string, before: number | undefined): Promise<{ split: TrafficSplit }> => {
  const all = database.selectFrom('deployment_generations').select('split').where('model', '=', model).orderBy('generation', 'desc');
  const row = await (before === undefined ? all : all.where('generation', '<', before)).executeTakeFirst();
  return { split: (row?.split as TrafficSplit | undefined) ?? { stable: null, canary: null, canaryWeight: 0 } };
};

const restoreOrphan = async (context: ApiContext, rollback: Rollback, row: RolloutRow): Promise<number> => {
  const { model, reason, by, digest } = rollback;
  const stable = await stableBefore(context, model, row.rolloutId);
  const change = { model, requestId: `rollback/${digest}`, stable, options: await optionsOf(context, model), rolloutId: row.rolloutId, reason: `rollback by ${by}: ${reason}` };
  const { generation } = await context.deployments.restore(change);
  const outcome: RolloutOutcome = { kind: 'aborted', model, version: row.version, reason: `its workflow was lost; rollback by ${by}: ${reason}`, generation };
  await context.deployments.finishRollout(row.rolloutId, outcome);
  return generation;
};

/** The promotion that made the stable version champion, and whom it replaced. */
const lastPromotion = async ({ database }: ApiContext, model: string, stable: number) =>
  database
    .selectFrom('promotions as p')
    .leftJoin('deployment_generations as g', (join) => join.onRef('g.model', '=', 'p.model').onRef('g.generation', '=', 'p.generation'))
    .select(['p.previous', 'g.rollout_id'])
    .where('p.model', '=', model)
    .where('p.version', '=', stable)
    .orderBy('p.id', 'desc')
    .executeTakeFirst();

const toPrevious = async (context: ApiContext, { model, reason, by, digest }: Rollback): Promise<number> => {
  const { split } = await context.deployments.current(model);
  const promotion = split.stable === null ? undefined : await lastPromotion(context, model, split.stable);
  if (promotion?.previous === undefined || promotion.previous === null) {
    throw new PerennialFailure('NothingToRollBackTo', split.stable === null ? `"${model}" is not deployed` : `version ${split.stable} of "${model}" replaced no other`);
  }
  const rolloutId = promotion.rollout_id ?? `rollback/${digest}`;
  const change = { model, requestId: `rollback/${digest}`, stable: promotion.previous, options: await optionsOf(context, model), rolloutId, reason: `rollback by ${by}: ${reason}` };
  return (await context.deployments.restore(change)).generation;
};

/** To a version by name: it becomes champion as by a promotion. */
const toVersion = async (context: ApiContext, { model, digest }: Rollback, version: number): Promise<number> => {
  const row = await context.database.selectFrom('model_versions').select('version').where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${version}`);
  const { generation } = await context.deployments.current(model);
  const rolloutId = `rollback/${digest}/version`;
  const change = { model, version, requestId: rolloutId, expectedGeneration: generation, options: await optionsOf(context, model), rolloutId };
  return (await context.deployments.promote(change)).generation;
};

type How = z.infer<typeof RolledBack>['how'];

/** What this very request did before its answer was lost; undefined when it did nothing yet. */
const alreadyDone = async ({ database }: ApiContext, { model, digest }: Rollback): Promise<How | undefined> => {
  const ids = { version: `rollback/${digest}/version`, previous: `rollback/${digest}` };
  const rows = await database.selectFrom('deployment_generations').select('request_id').where('model', '=', model).where('request_id', 'in', Object.values(ids)).execute();
  const done = new Set(rows.map((row) => row.request_id));
  return (['version', 'previous'] as const).find((how) => done.has(ids[how]));
};

const mend = async (context: ApiContext, rollback: Rollback, live: LiveRollout): Promise<How> => {
  if (live.state === 'unknown') throw new PerennialFailure('TemporalUnavailable', 'whether a rollout is running is not known, because the Temporal server does not answer');
  const { version } = rollback;
  if (live.state === 'running') await abortRunning(context, rollback);
  const orphan = live.state === 'orphaned' ? live.row : undefined;
  if (orphan !== undefined) await restoreOrphan(context, rollback, orphan);
  if (version !== undefined && (await context.deployments.current(rollback.model)).split.stable !== version) {
    await toVersion(context, rollback, version);
    return 'version';
  }
  if (live.state === 'running') return 'aborted';
  if (orphan !== undefined) return 'restored';
  if (version !== undefined) return 'version';
  await toPrevious(context, rollback);
  return 'previous';
};

export const registerRollbackRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/rollback',
    config: { policy: 'rollouts:write' },
    schema: {
      tags: ['deployments'],
      summary: 'Back to the version that was served before, or to a given one',
      params: ModelParams,
      headers: IDEMPOTENT,
      body: RollbackRequest.nullish(),
      response: { 200: RolledBack, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { model } = request.params;
      const { reason, version } = request.body ?? RollbackRequest.parse({});
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `rollback ${model}`, content: request.body }, async ({ digest }): Promise<Answer> => {
        await requireModel(context, model);
        const rollback = { model, version, reason, by: principal.name, digest };
        const how = (await alreadyDone(context, rollback)) ?? (await mend(context, rollback, await liveRolloutOf(context, model)));
        const { generation, split } = await context.deployments.current(model);
        await audit(context.database, principal, { action: 'rollout.rollback', subject: model, detail: { how, generation, reason } });
        return { status: 200, body: { model, how, generation, split } };
      });
      return reply.code(200).send(answer.body as z.infer<typeof RolledBack>);
    },
  });
};
