/** What can be done to a run: cancel, retry, approve, reject. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { workflowIdOfRunId } from '../../contracts/ids.ts';
import { approveUpdate, rejectUpdate } from '../../contracts/messages.ts';
import { ApprovalRequest, RetryRunRequest, type ModelStep, type RunTrigger } from '../../contracts/run.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { invalid } from '../http/problem.ts';
import { IDEMPOTENT, problems, RunParams } from '../http/schemas.ts';
import { sendUpdate } from '../temporal/updates.ts';
import { runNotFound, showRun } from './read-run.ts';
import { RunStateView, StartedRun, type RunView } from './run-schemas.ts';
import { startRun } from './start-run.ts';

const Accepted = z.object({ runId: z.string(), state: RunStateView });

const finished = (run: RunView): PerennialFailure => new PerennialFailure('RunAlreadyFinished', `the run ended as "${run.state}" at ${run.finishedAt ?? 'an unknown time'}`);

const workflowIdOf = (runId: string): string => {
  const workflowId = workflowIdOfRunId(runId);
  if (workflowId === undefined) throw runNotFound(runId);
  return workflowId;
};

const registerCancel = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/runs/:id/cancel',
    config: { policy: 'runs:write' },
    schema: {
      tags: ['runs'],
      summary: 'Cancels a run: traffic ends on the version that was served before',
      params: RunParams,
      body: z.strictObject({}).nullish(),
      response: { 202: Accepted, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const run = await showRun(context, id);
      if (run.state !== 'running' && run.state !== 'cancelled') throw finished(run);
      const workflowId = workflowIdOf(id);
      await audit(context.database, principalOf(request), { action: 'run.cancel', subject: id });
      try {
        if (run.state === 'running') await context.temporalCalls.call((client) => client.workflow.getHandle(workflowId).cancel());
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        throw runNotFound(id);
      }
      context.liveRuns.forget(workflowId);
      return reply.code(202).send({ runId: id, state: run.state });
    },
  });
};

/** Without a step that was asked for, the work begins again at the first that has no proven output. */
const retryFromOf = (run: RunView, from: ModelStep | undefined): ModelStep | undefined => {
  if (from !== undefined && !run.steps.some((step) => step.name === from)) {
    const steps = run.steps.map((step) => step.name).join(', ');
    throw invalid('from', { message: `this run has no step "${from}"`, fix: run.model === null ? 'Leave it out: such a pipeline runs again as a whole.' : `Use one of ${steps}.` });
  }
  return from;
};

const retryOf = async (context: ApiContext, run: RunView, { digest, from }: { digest: string; from: ModelStep | undefined }): Promise<StartedRun> => {
  if (run.state === 'running') throw invalid('id', { message: 'the run is still running', fix: 'Cancel it first, or wait for its end.' });
  if (run.pipelineVersion === null) throw runNotFound(run.runId);
  const { spec } = await context.pipelines.version(run.pipeline, run.pipelineVersion);
  const retryFrom = retryFromOf(run, from);
  const reproduces = run.trigger?.reproduces;
  const reason = `retry of ${run.runId}${from === undefined ? '' : ` from ${from}`}`;
  // The retry of a repetition is one too: it registers nothing either.
  const trigger: RunTrigger = { kind: 'manual', id: `manual/${digest}`, reason, ...(reproduces === undefined ? {} : { reproduces }) };
  const again = { unique: digest, pipeline: run.pipeline, pipelineVersion: run.pipelineVersion, spec, trigger, retryOf: run.runId };
  return startRun(context, retryFrom === undefined ? again : { ...again, retryFrom });
};

const registerRetry = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/runs/:id/retry',
    config: { policy: 'runs:write' },
    schema: {
      tags: ['runs'],
      summary: 'Runs the same pipeline version again as a new run, with the proven outputs of this one',
      params: RunParams,
      headers: IDEMPOTENT,
      body: RetryRunRequest.nullish(),
      response: { 202: StartedRun, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const from = request.body?.from;
      const { intent } = await context.idempotency.claim(request, { act: `retry ${id}`, content: request.body });
      const started = await retryOf(context, await showRun(context, id), { digest: intent.digest, from });
      await audit(context.database, principalOf(request), { action: 'run.retry', subject: id, detail: { runId: started.runId, from: from ?? null } });
      return reply.code(202).header('location', started.links.self).send(started);
    },
  });
};

const registerDecision = (app: App, context: ApiContext, decision: 'approve' | 'reject'): void => {
  const update = decision === 'approve' ? approveUpdate : rejectUpdate;
  app.route({
    method: 'POST',
    url: `/api/v1/runs/:id/${decision}`,
    config: { policy: 'runs:approve' },
    schema: {
      tags: ['runs'],
      summary: decision === 'approve' ? 'Approves a run that waits for a person' : 'Rejects a run that waits for a person',
      params: RunParams,
      headers: IDEMPOTENT,
      body: ApprovalRequest.nullish(),
      response: { 202: Accepted, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const comment = request.body?.comment ?? '';
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `${decision} ${id}`, content: request.body }, async ({ digest }) => {
        const run = await showRun(context, id);
        if (run.state !== 'running') throw finished(run);
        // Built-in steps ask nobody, so their workflow takes no such update.
        if (run.model === null) throw new PerennialFailure('RunNotWaiting', 'a run of built-in steps waits for no approval');
        await sendUpdate(context, { workflowId: workflowIdOf(id), name: update.name, args: [{ by: principal.name, comment }], updateId: digest, absent: () => finished(run) });
        await audit(context.database, principal, { action: `run.${decision}`, subject: id, detail: { comment } });
        context.liveRuns.forget(workflowIdOf(id));
        return { status: 202, body: { runId: id, state: run.state } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof Accepted>);
    },
  });
};

export const registerRunActions = (app: App, context: ApiContext): void => {
  registerCancel(app, context);
  registerRetry(app, context);
  registerDecision(app, context, 'approve');
  registerDecision(app, context, 'reject');
};
