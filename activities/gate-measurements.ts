/** What gates ask of the models themselves, beyond their answers to the held-out rows: time, size and signature. */
import type { GateMeasurements, GateSpec } from '../contracts/gate.ts';
import type { ModelSignature } from '../contracts/features.ts';
import { quantileOf } from '../domain/bootstrap.ts';
import type { RowMeasurements } from '../domain/gate-measurements.ts';
import { signatureDifferences } from '../domain/signature.ts';
import type { Attempt, ScoredModel } from './scoring.ts';

/** Gates that are decided by metrics and comparisons alone. */
const PLAIN = new Set<GateSpec['kind']>(['threshold', 'rows', 'approval']);

const isPlain = (gate: GateSpec): boolean => PLAIN.has(gate.kind) || (gate.kind === 'champion' && gate.test === 'bootstrap');

const measureLatency = async ({ runtime, rowsFile, tools }: Attempt, model: ScoredModel, gates: readonly GateSpec[]): Promise<GateMeasurements['latency']> => {
  const requests = Math.max(0, ...gates.flatMap((gate) => (gate.kind === 'latency' ? [gate.requests] : [])));
  if (requests === 0) return null;
  tools.report({ progress: { done: 0, total: requests, what: 'measuring the latency' } });
  const { bytes, signature, features } = model;
  const sorted = (await runtime.measureLatency({ model: bytes, signature, rowsFile, features, requests })).sort();
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => quantileOf(sorted, share));
  return { requests: sorted.length, p50Ms: p50Ms!, p95Ms: p95Ms!, p99Ms: p99Ms! };
};

/** All measurements of the gates; undefined where no gate asks for any. */
export const gateMeasurements = async (
  attempt: Attempt,
  models: { candidate: ScoredModel; championSignature: ModelSignature | null },
  ofRows: RowMeasurements,
): Promise<GateMeasurements | undefined> => {
  const { gates, trained } = attempt.input;
  if (gates.every(isPlain)) return undefined;
  const { candidate, championSignature } = models;
  return {
    ...ofRows,
    latency: await measureLatency(attempt, candidate, gates),
    modelBytes: trained.model.bytes,
    signatureDifferences: championSignature === null ? null : signatureDifferences(candidate.signature, championSignature),
  };
};
