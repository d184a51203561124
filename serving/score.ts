/**
 * Gets the answer of one request from the version that owes it, or, when that is a canary that fails or is late, from stable.
 * A failing canary answer counts against the canary; the client does not see it.
 */
import { PerennialFailure } from '../domain/failure.ts';
import type { InferenceRows } from '../domain/inference.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import { outputTexts } from './answer-text.ts';
import { countLatency } from './counters.ts';
import type { AppliedDeployment, Variant } from './deployment-table.ts';
import type { Inference } from './inference-job.ts';

export type Scored = {
  /** The version that answered. */
  variant: Variant;
  rows: InferenceRows;
  /** The outputs in the order of the signature, and each as a JSON list. */
  columns: ColumnData[];
  texts: string[];
  latencyMs: number;
  fellBackFrom: number | undefined;
};

const late = (deadlineMs: number): PerennialFailure => new PerennialFailure('ModelUnavailable', `no answer within ${deadlineMs} ms`);

/** The outputs, unless they come too late: then nobody waits for them any more. */
export const within = (inference: Inference, deadlineMs: number): Inference['outputs'] =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      inference.abandon();
      reject(late(deadlineMs));
    }, deadlineMs);
    inference.outputs.then(resolve, reject).finally(() => clearTimeout(timer));
  });

const countFailure = (variant: Variant, begunAt: number): void => {
  variant.counters.failures += 1;
  variant.metrics.failures += 1;
  variant.metrics.failureSeconds += (performance.now() - begunAt) / 1_000;
};

/** A version's own answer. An overload is no failure of the version; the client is asked to come back. */
const ask = async (variant: Variant, rows: InferenceRows, deadlineMs: number | undefined): Promise<Scored> => {
  const begunAt = performance.now();
  const inference = variant.host.infer(rows, { failFast: deadlineMs !== undefined });
  const columns = await (deadlineMs === undefined ? inference.outputs : within(inference, deadlineMs));
  const texts = outputTexts(variant, columns);
  const latencyMs = performance.now() - begunAt;
  countLatency(variant.counters, latencyMs);
  return { variant, rows, columns, texts, latencyMs, fellBackFrom: undefined };
};

const isOverload = (error: unknown): boolean => error instanceof PerennialFailure && error.code === 'Overloaded';

/** Asks a version that nobody stands in for. */
const askAlone = async (variant: Variant, rows: InferenceRows): Promise<Scored> => {
  const begunAt = performance.now();
  try {
    const scored = await ask(variant, rows, undefined);
    variant.counters.requests += 1;
    return scored;
  } catch (error) {
    if (!isOverload(error)) {
      variant.counters.requests += 1;
      countFailure(variant, begunAt);
    }
    throw error;
  }
};

const askStableInstead = async ({ canary, stable, begunAt }: { canary: Variant; stable: Variant; begunAt: number }, rows: InferenceRows): Promise<Scored> => {
  countFailure(canary, begunAt);
  const scored = await askAlone(stable, rows);
  canary.counters.fallbacks += 1;
  canary.metrics.fallbacks += 1;
  return { ...scored, fellBackFrom: canary.version };
};

const askCanary = async ({ snapshot }: AppliedDeployment, canary: Variant, rows: InferenceRows): Promise<Scored> => {
  if (!canary.host.isPrompt(snapshot.deadlineMs)) throw late(snapshot.deadlineMs);
  return ask(canary, rows, snapshot.deadlineMs);
};

/** Rows as the canary's signature reads them; undefined when it refuses them but stable does not: then the canary has failed. */
const readForCanary = (canary: Variant, stable: Variant, inputs: readonly unknown[]): InferenceRows | undefined => {
  try {
    return canary.reader(inputs);
  } catch (error) {
    if (canary.reader === stable.reader) throw error;
    stable.reader(inputs);
    return undefined;
  }
};

/**
 * Scores the inputs of a request by the chosen version.
 *
 * @param isPinned the client named the version: no other one may answer
 * @throws PerennialFailure InferenceInvalid, Overloaded, ModelFailed or ModelUnavailable
 */
export const score = async (deployment: AppliedDeployment, chosen: Variant, inputs: readonly unknown[], isPinned: boolean): Promise<Scored> => {
  const { stable } = deployment;
  chosen.host.concurrency = deployment.inFlight;
  if (isPinned || chosen.role === 'stable' || stable === null) return askAlone(chosen, chosen.reader(inputs));
  const begunAt = performance.now();
  const rows = readForCanary(chosen, stable, inputs);
  chosen.counters.requests += 1;
  if (rows !== undefined) {
    try {
      return await askCanary(deployment, chosen, rows);
    } catch {
      // Stable answers; what it was is in the counters, and in the log when the host died.
    }
  }
  return askStableInstead({ canary: chosen, stable, begunAt }, rows !== undefined && chosen.reader === stable.reader ? rows : stable.reader(inputs));
};
