/** One inference request, whatever its protocol: read, route, score, log, answer. */
import { performance } from 'node:perf_hooks';
import { PerennialFailure } from '../domain/failure.ts';
import { InferenceRefused, stickyKeyOf, type InferenceEnvelope } from '../domain/inference.ts';
import { pick } from '../domain/traffic.ts';
import { logRecordText } from './answer-text.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import { leave, notDeployed, variantsOf, type AppliedDeployment, type Variant } from './deployment-table.ts';
import { clientIdOf, newInferenceId } from './inference-id.ts';
import { countRequest } from './metrics.ts';
import type { PredictionLog } from './prediction-log.ts';
import type { RefusalBook } from './refusals.ts';
import { score, type Scored } from './score.ts';

/** A request in the form of V2; `json` is the same as text, for the log. */
export type ReadRequest = { envelope: InferenceEnvelope; json: string };

/** What an answer is written from. */
export type WrittenAnswer = Pick<Scored, 'variant' | 'rows' | 'texts' | 'columns'> & { id: string; envelope: InferenceEnvelope };

/** How a protocol reads a request and writes its answer: all that is its own. */
export type InferenceForm<Body> = {
  /** @throws PerennialFailure MalformedBody or InferenceInvalid */
  read(deployment: AppliedDeployment): ReadRequest;
  write(answer: WrittenAnswer): Body;
};

export type InferenceRequest<Body> = {
  form: InferenceForm<Body>;
  model: string;
  /** The version that the client named. */
  version: number | undefined;
  /** Headers (or metadata) x-request-id and x-perennial-key. */
  requestId: string | undefined;
  key: string | undefined;
};

export type InferenceAnswer<Body> = { id: string; role: string; version: string; body: Body };

export type InferenceService = <Body>(request: InferenceRequest<Body>) => Promise<InferenceAnswer<Body>>;

const chooseVariant = (deployment: AppliedDeployment, version: number | undefined, stickyKey: string): Variant => {
  const { split, snapshot, stable, canary } = deployment;
  if (version !== undefined) {
    const pinned = variantsOf(deployment).find((variant) => variant.version === version);
    if (pinned === undefined) throw new PerennialFailure('ModelVersionNotFound', `Version ${version} of ${snapshot.model} is not loaded at this gateway.`);
    return pinned;
  }
  const chosen = pick(split, snapshot.salt, stickyKey) === 'canary' ? canary : stable;
  if (chosen === null) throw notDeployed(snapshot.model);
  return chosen;
};

const checkWanted = ({ outputs }: InferenceEnvelope, { signature }: Variant): void => {
  const unknown = outputs?.findIndex(({ name }) => !signature.outputs.some((output) => output.name === name)) ?? -1;
  if (unknown !== -1) throw new PerennialFailure('InferenceInvalid', `outputs[${unknown}].name: is not an output of the model`);
};

/** What no version could read counts for the one that answers most: its monitor watches the model's callers. */
const countRefusal = (refusals: Pick<RefusalBook, 'count'>, { snapshot, stable, canary }: AppliedDeployment, error: unknown): void => {
  const version = (stable ?? canary)?.version;
  if (version === undefined || !(error instanceof PerennialFailure)) return;
  const place = { model: snapshot.model, version };
  if (error instanceof InferenceRefused) refusals.count(place, error.refusal);
  else if (error.code === 'MalformedBody' || error.code === 'InferenceInvalid') refusals.count(place, { reason: 'malformed', input: null });
};

type ServiceParts = { lookup: Pick<DeploymentLookup, 'enter'>; log: Pick<PredictionLog, 'append'>; refusals: Pick<RefusalBook, 'count'> };

export const createInferenceService = ({ lookup, log, refusals }: ServiceParts): InferenceService => {
  /** Writes the record; by the deployment's policy a failure refuses the answer, or lets it go and counts it. */
  const record = async ({ snapshot }: AppliedDeployment, scored: Scored, { id, key, body }: { id: string; key: string | undefined; body: string }): Promise<void> => {
    const { variant, rows, texts, latencyMs, fellBackFrom } = scored;
    const text = logRecordText(variant, { id, key, at: Date.now(), rows: rows.rows, body, texts, latencyMs, fellBackFrom });
    try {
      await log.append(variant.logHeader, text);
    } catch (error) {
      if (snapshot.onLogFailure === 'refuse') throw error;
      variant.counters.unlogged += 1;
      variant.metrics.unlogged += 1;
    }
  };

  const answer = async <Body>(deployment: AppliedDeployment, request: InferenceRequest<Body>): Promise<{ answer: InferenceAnswer<Body>; variant: Variant }> => {
    const { envelope, json } = request.form.read(deployment);
    const id = clientIdOf(envelope.id, request.requestId) ?? newInferenceId();
    const key = stickyKeyOf(request.key, 'header x-perennial-key') ?? envelope.key;
    const chosen = chooseVariant(deployment, request.version, key ?? id);
    checkWanted(envelope, chosen);
    const scored = await score(deployment, chosen, envelope.inputs, request.version !== undefined);
    const { variant, rows, texts, columns } = scored;
    const body = request.form.write({ variant, id, rows, texts, columns, envelope });
    await record(deployment, scored, { id, key, body: json });
    if (deployment.shadow !== null && variant === deployment.stable) deployment.shadow.offer({ id, inputs: envelope.inputs, rows: scored.rows, columns });
    return { answer: { id, role: variant.role, version: String(variant.version), body }, variant };
  };

  return async (request) => {
    const begunAt = performance.now();
    const deployment = await lookup.enter(request.model);
    try {
      const { answer: given, variant } = await answer(deployment, request);
      countRequest(variant.metrics, 200, (performance.now() - begunAt) / 1_000);
      return given;
    } catch (error) {
      countRefusal(refusals, deployment, error);
      throw error;
    } finally {
      leave(deployment);
    }
  };
};
