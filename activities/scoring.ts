/** Scores one model on the held-out rows, with the code that serves. */
import type { StepActivities } from '../contracts/activities.ts';
import type { ModelSignature } from '../contracts/features.ts';
import type { FeaturesSpec } from '../contracts/pipeline.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import type { ModelRuntime } from '../domain/ports/model-runtime.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import type { ActivityTools } from './boundary.ts';
import type { DataPorts } from './data-ports.ts';
import { stopIfAborted } from './stop.ts';

export type EvaluatePorts = DataPorts & { registry: ModelRegistry; pipelines: Pipelines; runtime: ModelRuntime };

export type EvaluateInput = Parameters<StepActivities['evaluate']>[0];
export type Scored = Awaited<ReturnType<ModelRuntime['score']>>;
/** One attempt: its ports, its input, the held-out rows on disk. */
export type Attempt = EvaluatePorts & { input: EvaluateInput; tools: ActivityTools; folder: string; rowsFile: string };

/** A model and how it reads the rows; `rowsFile` where it sees them through other features than the candidate. */
export type ScoredModel = { bytes: Uint8Array; signature: ModelSignature; features: FeaturesSpec; rowsFile?: string };

export const score = async (attempt: Attempt, what: string, model: ScoredModel): Promise<Scored> => {
  const { input, tools, runtime } = attempt;
  stopIfAborted(tools.signal);
  const total = input.featureSet.holdoutRows;
  const scored = await runtime.score({
    model: model.bytes,
    signature: model.signature,
    rowsFile: model.rowsFile ?? attempt.rowsFile,
    features: model.features,
    onProgress: (done) => tools.report({ progress: { done, total, what } }),
  });
  if (scored.scores.length !== total) throw new Error(`${scored.scores.length} of ${total} held-out rows were scored (${what})`);
  return scored;
};
