/** `definePipeline`: the TypeScript form of a pipeline, beside YAML. */
import { PipelineSpec, type PipelineInput } from './pipeline.ts';

/**
 * Checks a pipeline and fills in its defaults.
 * @throws z.ZodError with the path of each impossible value
 */
export const definePipeline = (pipeline: PipelineInput): PipelineSpec => PipelineSpec.parse({ kind: 'model', ...pipeline });
