import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ModelSignature } from '../../contracts/features.ts';
import type { EvaluationReport, Lineage, RegisteredVersion, TrainedModel } from '../../contracts/model.ts';
import type { GateDecision } from '../../contracts/run.ts';

export type VersionRecord = {
  model: string;
  version: number;
  runId: string;
  artifact: ArtifactRef;
  signature: ModelSignature;
  evaluation: EvaluationReport;
  lineage: Lineage;
  createdAt: string;
};

/** Registered models, versions and aliases. Versions count from 1 without gaps; (model, run) is unique. */
export interface ModelRegistry {
  registerVersion(input: {
    model: string;
    runId: string;
    trained: TrainedModel;
    signature: ModelSignature;
    evaluation: EvaluationReport;
    gates: GateDecision[];
    lineage: Lineage;
  }): Promise<RegisteredVersion>;
  /** Undefined when there is no such version. */
  version(model: string, version: number): Promise<VersionRecord | undefined>;
  /** The version that an alias names; undefined when the alias is not set. */
  alias(model: string, alias: string): Promise<number | undefined>;
}
