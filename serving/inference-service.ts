/** One inference request, from its text to its answer's text: parse, route, score, log. */
import { performance } from 'node:perf_hooks';
import { PerennialFailure } from '../domain/failure.ts';
import { InferenceRefused, readEnvelope, stickyKeyOf, type InferenceEnvelope } from '../domain/inference.ts';
import { fromRowRequest, type RowForm } from '../domain/row-requests.ts';
import { pick } from '../domain/traffic.ts';
import { answerOf, logRecordText, rowAnswerOf } from './answer-text.ts';
import { withBinaryInputs } from './binary-tensors.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import { leave, notDeployed, variantsOf, type AppliedDeployment, type Variant } from './deployment-table.ts';
import { clientIdOf, newInferenceId } from './inference-id.ts';
import { countRequest } from './metrics.ts';
import type { PredictionLog } from './prediction-log.ts';
import type { RefusalBook } from './refusals.ts';
import { score, type Scored } from './score.ts';

export type InferenceRequest = {
  form: 'v2' | RowForm;
  model: string;
  /** The version that the client named. */
  version: number | undefined;
  /** The JSON of the body, and what follows it; undefined where the client did not say that anything does. */
  body: string;
  binary: Buffer | undefined;
  /** Headers x-request-id and x-perennial-key. */
  requestId: string | undefined;
  key: string | undefined;
};

export type InferenceAnswer = { id: string; role: string; version: string; text: string; binary: Buffer[] };

export type InferenceService = (request: InferenceRequest) => Promise<InferenceAnswer>;

const parseBody = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PerennialFailure('MalformedBody', `The body is not valid JSON (null is the missing value; NaN and Infinity are no JSON): ${(error as Error).message.slice(0, 200)}`);
  }
};

/** The signature by which clients that send rows know the model. */
const signatureOf = (deployment: AppliedDeployment): Variant['signature'] => {
  const [variant] = variantsOf(deployment);
  if (variant === undefined) throw notDeployed(deployment.snapshot.model);
  return variant.signature;
};

/** The request in its JSON form, whatever the form in which its values came. */
const readRequest = ({ form, body, binary }: InferenceRequest, deployment: AppliedDeployment): { envelope: InferenceEnvelope; json: string } => {
  const parsed = parseBody(body);
  const inJson = (request: unknown): { envelope: InferenceEnvelope; json: string } => ({ envelope: readEnvelope(request), json: JSON.stringify(request) });
  if (form !== 'v2') return inJson(fromRowRequest(parsed, signatureOf(deployment), form));
  if (binary !== undefined) return inJson(withBinaryInputs(parsed, binary));
  return { envelope: readEnvelope(parsed), json: body };
};

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

  const answer = async (deployment: AppliedDeployment, request: InferenceRequest): Promise<{ answer: InferenceAnswer; variant: Variant }> => {
    const { envelope, json } = readRequest(request, deployment);
    const id = clientIdOf(envelope.id, request.requestId) ?? newInferenceId();
    const key = stickyKeyOf(request.key, 'header x-perennial-key') ?? envelope.key;
    const chosen = chooseVariant(deployment, request.version, key ?? id);
    checkWanted(envelope, chosen);
    const scored = await score(deployment, chosen, envelope.inputs, request.version !== undefined);
    const { variant, rows, texts, columns } = scored;
    const { text, binary } = request.form === 'v2' ? answerOf(variant, id, { rows: rows.rows, texts, columns, envelope }) : rowAnswerOf(variant, texts);
    await record(deployment, scored, { id, key, body: json });
    if (deployment.shadow !== null && variant === deployment.stable) deployment.shadow.offer({ id, inputs: envelope.inputs, rows: scored.rows, columns });
    return { answer: { id, role: variant.role, version: String(variant.version), text, binary }, variant };
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
