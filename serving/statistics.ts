/** The statistics extension of V2: what each served version did since this gateway process began. */
import { PerennialFailure } from '../domain/failure.ts';
import { variantsOf, type AppliedDeployment, type DeploymentTable, type Variant } from './deployment-table.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import type { Metrics, VersionMetrics } from './metrics.ts';
import type { ModelPlace } from './model-place.ts';

/** `ns` is the sum of all durations, in nanoseconds. */
type Duration = { count: number; ns: number };

/** Named as in the protocol. */
export type ModelStatistics = {
  name: string;
  version: string;
  /** Milliseconds since the epoch; 0: none yet. */
  last_inference: number;
  /** Rows, and the batches in which they were scored. */
  inference_count: number;
  execution_count: number;
  inference_stats: Record<'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output', Duration>;
  batch_stats: never[];
};

export type StatisticsParts = { table: DeploymentTable; lookup: Pick<DeploymentLookup, 'find'>; metrics: Pick<Metrics, 'versions'> };

const duration = (count: number, seconds: number): Duration => ({ count, ns: Math.round(seconds * 1e9) });

const sum = (entries: readonly VersionMetrics[], read: (entry: VersionMetrics) => number): number => entries.reduce((total, entry) => total + read(entry), 0);

/** A version may have answered in both roles. */
const statisticsOf = ({ model, version, host }: Variant, metrics: Pick<Metrics, 'versions'>): ModelStatistics => {
  const entries = metrics.versions(model, String(version));
  const queued = host.queueDurations;
  return {
    name: model,
    version: String(version),
    last_inference: host.lastBatchAt,
    inference_count: host.rows,
    execution_count: host.batches,
    inference_stats: {
      success: duration(sum(entries, ({ byCode }) => byCode.get(200) ?? 0), sum(entries, ({ durations }) => durations.sum)),
      fail: duration(sum(entries, ({ failures }) => failures), sum(entries, ({ failureSeconds }) => failureSeconds)),
      queue: duration(queued.counts.reduce((total, count) => total + count, 0), queued.sum),
      // Tensors are read and written with the request, and not counted by themselves.
      compute_input: duration(0, 0),
      compute_infer: duration(host.batches, host.busySeconds),
      compute_output: duration(0, 0),
    },
    batch_stats: [],
  };
};

const chosen = (deployment: AppliedDeployment, { model, version }: ModelPlace): Variant[] => {
  const variants = variantsOf(deployment).filter((variant) => version === undefined || variant.version === version);
  if (variants.length === 0 && version !== undefined) throw new PerennialFailure('ModelVersionNotFound', `Version ${version} of ${model} is not loaded at this gateway.`);
  return variants;
};

/**
 * Statistics of one version, of all of a model, or of everything that is served.
 * @throws PerennialFailure ModelNotFound, ModelVersionNotFound or ModelUnavailable
 */
export const modelStatistics = async ({ table, lookup, metrics }: StatisticsParts, place: ModelPlace | undefined): Promise<{ model_stats: ModelStatistics[] }> => {
  const variants = place === undefined ? table.all().flatMap(variantsOf) : chosen(await lookup.find(place.model), place);
  return { model_stats: variants.map((variant) => statisticsOf(variant, metrics)) };
};
