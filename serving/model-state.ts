/** What is told of a model, in any protocol: its metadata, and whether it can answer. */
import { PerennialFailure } from '../domain/failure.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import { notDeployed, variantsOf, type AppliedDeployment, type Variant } from './deployment-table.ts';
import type { ModelPlace } from './model-place.ts';

const tensorsOf = (tensors: Variant['signature']['inputs']) => tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape }));

/** Metadata of a model, or of one version of it; undefined when that version is not loaded. */
const metadataOf = (deployment: AppliedDeployment, version: number | undefined) => {
  const variants = variantsOf(deployment);
  const shown = version === undefined ? variants[0] : variants.find((variant) => variant.version === version);
  if (shown === undefined) return undefined;
  return {
    name: deployment.snapshot.model,
    versions: variants.map((variant) => String(variant.version)),
    platform: 'onnxruntime_onnx',
    inputs: tensorsOf(shown.signature.inputs),
    outputs: tensorsOf(shown.signature.outputs),
  };
};

export type ModelMetadata = NonNullable<ReturnType<typeof metadataOf>>;

const checkedMetadata = (deployment: AppliedDeployment, { model, version }: ModelPlace): ModelMetadata => {
  const metadata = metadataOf(deployment, version);
  if (metadata !== undefined) return metadata;
  if (version !== undefined) throw new PerennialFailure('ModelVersionNotFound', `Version ${version} of ${model} is not loaded at this gateway.`);
  throw notDeployed(model);
};

/** @throws PerennialFailure ModelNotFound, ModelVersionNotFound or ModelUnavailable */
export const modelMetadata = async (lookup: Pick<DeploymentLookup, 'find'>, place: ModelPlace): Promise<ModelMetadata> => checkedMetadata(await lookup.find(place.model), place);

/**
 * Whether the model, or one version of it, can answer now: whoever asks does not want to wait for it.
 * @throws PerennialFailure ModelNotFound, ModelVersionNotFound or ModelUnavailable
 */
export const isModelReady = (lookup: Pick<DeploymentLookup, 'now'>, place: ModelPlace): boolean => {
  const deployment = lookup.now(place.model);
  checkedMetadata(deployment, place);
  return variantsOf(deployment).some((variant) => (place.version === undefined || variant.version === place.version) && variant.host.pid !== undefined);
};

/** The extensions of V2 that are spoken. */
const EXTENSIONS = ['binary_tensor_data', 'model_repository', 'statistics'];

export const serverMetadata = (build: string): { name: string; version: string; extensions: string[] } => ({ name: 'perennial', version: build, extensions: EXTENSIONS });
