/** The steps of a run: their order, and which outputs of an earlier run a retry may use again. */
import type { CheckReport } from '../contracts/check-report.ts';
import type { ModelPipelineSpec } from '../contracts/pipeline.ts';
import type { GateDecision, ModelStep } from '../contracts/run.ts';

/** As MODEL_STEPS in contracts/run.ts, which is no value for workflows because of zod; the compiler compares them. */
const ORDER: Record<ModelStep, number> = { ingest: 0, check: 1, features: 2, search: 3, train: 4, evaluate: 5, gate: 6, register: 7, rollout: 8 };

const byOrder = (first: ModelStep, second: ModelStep): number => ORDER[first] - ORDER[second];

const orderedSteps = (Object.keys(ORDER) as ModelStep[]).sort(byOrder);

/** The steps that a pipeline has, in their order. */
const stepsOf = ({ search }: Pick<ModelPipelineSpec, 'search'>): ModelStep[] => orderedSteps.filter((step) => step !== 'search' || search !== undefined);

/** Position of a step in the run, from 0; a pipeline without a search has no step at its position. */
export const positionOf = (step: ModelStep): number => ORDER[step];

/** The registered model of a pipeline: by default it has the pipeline's name. */
export const modelNameOf = (spec: ModelPipelineSpec): string => spec.model ?? spec.name;

/** The dataset of a pipeline: by default it has the pipeline's name. */
export const datasetNameOf = (spec: ModelPipelineSpec): string => spec.source.dataset ?? spec.name;

/** What the gate step leaves. */
export type GateOutput = { passed: boolean; gates: GateDecision[] };

const saysNo = (step: ModelStep, output: unknown): boolean => {
  if (step === 'check') return (output as CheckReport).passed !== true;
  if (step === 'gate') return (output as GateOutput).passed !== true;
  return false;
};

/**
 * The outputs that a retry uses again: those of the unbroken chain of steps before `from`. The chain ends at the first step
 * without output, and at a check or gate that said no, because a retry asks it anew.
 */
export const reusableOutputs = (outputs: Record<string, unknown>, from: ModelStep, spec: Pick<ModelPipelineSpec, 'search'>): Partial<Record<ModelStep, unknown>> => {
  const reusable: Partial<Record<ModelStep, unknown>> = {};
  for (const step of stepsOf(spec)) {
    if (ORDER[step] >= ORDER[from]) break;
    const output = outputs[step];
    if (output === undefined || output === null || saysNo(step, output)) break;
    reusable[step] = output;
  }
  return reusable;
};

/** Why data checks block a run, with the first failing ones; null when they do not. */
export const checkRefusal = (report: CheckReport): string | null => {
  if (report.passed) return null;
  const failing = report.results.filter((result) => !result.passed && result.severity === 'error').slice(0, 3);
  const examples = failing.map((result) => `${result.table}: ${result.message}`).join('; ');
  return `${report.failed} of ${report.checks} checks failed${examples === '' ? '' : `: ${examples}`}`;
};
