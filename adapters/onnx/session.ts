/**
 * One loaded ONNX model: the only code that scores, in the gateway's hosts and in evaluation, so that both give the same answer.
 *
 * A model is loaded from bytes alone: a path would let it reach files beside it. Both loading and running are synchronous native
 * calls, and a model may hang or take all memory: call this only in a process that may die, never in one that answers clients.
 */
import { InferenceSession, Tensor, env } from 'onnxruntime-node';
import type { Datatype, ModelSignature, SignatureTensor } from '../../contracts/features.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { widthOf, type ColumnData, type OutputColumns, type TensorColumns } from '../../domain/tensor-columns.ts';
import { checkModel } from './model-check.ts';

export type { OutputColumns, TensorColumns } from '../../domain/tensor-columns.ts';

export type ModelSession = {
  /**
   * Scores `rows` rows (at least 1); every input of the signature must be there with rows x width values.
   * @throws PerennialFailure InferenceInvalid when the columns are not those of the signature, ModelFailed when the model errs
   */
  run(columns: TensorColumns, rows: number): Promise<OutputColumns>;
  /** Frees the native memory; the session cannot run afterwards. */
  release(): Promise<void>;
};

const TENSOR_TYPES = {
  FP32: 'float32',
  FP64: 'float64',
  INT64: 'int64',
  INT32: 'int32',
  INT16: 'int16',
  INT8: 'int8',
  UINT64: 'uint64',
  UINT32: 'uint32',
  UINT16: 'uint16',
  UINT8: 'uint8',
  BOOL: 'bool',
  BYTES: 'string',
} as const satisfies Record<Datatype, Tensor.Type>;

/** Severity 4: fatal errors only. Everything else reaches the caller as an error, and not the log of the host a second time. */
const FATAL = 4;
env.logLevel = 'fatal';

const LONGEST_MESSAGE = 600;

/** What ONNX Runtime said, on one line, without its marker for users of the C++ API. */
const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_MESSAGE);
};

const createSession = async (model: Uint8Array, threads: number): Promise<InferenceSession> => {
  try {
    return await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: FATAL,
    });
  } catch (error) {
    throw new PerennialFailure('ModelRefused', `ONNX Runtime cannot load the model: ${reasonOf(error)}`, { cause: error });
  }
};

const toTensor = (input: SignatureTensor, data: ColumnData | undefined, rows: number): Tensor => {
  if (data === undefined) throw new PerennialFailure('InferenceInvalid', `The input "${input.name}" is not there.`);
  const expected = rows * widthOf(input);
  if (data.length !== expected) {
    throw new PerennialFailure('InferenceInvalid', `The input "${input.name}" has ${data.length} values: ${rows} rows need ${expected}.`);
  }
  try {
    return new Tensor(TENSOR_TYPES[input.datatype], data as Float32Array, [rows, ...input.shape.slice(1)]);
  } catch (error) {
    throw new PerennialFailure('InferenceInvalid', `The input "${input.name}" is not ${input.datatype}: ${reasonOf(error)}`, { cause: error });
  }
};

const toColumn = (output: SignatureTensor, value: InferenceSession.ReturnType[string] | undefined, rows: number): ColumnData => {
  if (!(value instanceof Tensor) || value.type !== TENSOR_TYPES[output.datatype]) {
    throw new PerennialFailure('ModelFailed', `The output "${output.name}" is not a tensor of ${output.datatype}, as the signature says.`);
  }
  const data = value.data as ColumnData;
  const expected = rows * widthOf(output);
  if (data.length !== expected) {
    throw new PerennialFailure('ModelFailed', `The output "${output.name}" has ${data.length} values for ${rows} rows: the signature says ${expected}.`);
  }
  return data;
};

const runSession = async (session: InferenceSession, feeds: Record<string, Tensor>, outputs: string[]): Promise<InferenceSession.ReturnType> => {
  try {
    return await session.run(feeds, outputs);
  } catch (error) {
    throw new PerennialFailure('ModelFailed', `ONNX Runtime failed while it scored: ${reasonOf(error)}`, { cause: error });
  }
};

/**
 * Loads a model that speaks the given signature.
 *
 * @param model bytes of an ONNX file
 * @param options.threads threads within one operator; 1 by default, which halves the CPU time per request
 * @throws PerennialFailure ModelRefused when the model check (model-check.ts) or ONNX Runtime refuses it
 */
export const openSession = async (model: Uint8Array, signature: ModelSignature, options: { threads?: number } = {}): Promise<ModelSession> => {
  checkModel(model, signature);
  const session = await createSession(model, options.threads ?? 1);
  const outputNames = signature.outputs.map((output) => output.name);
  return {
    run: async (columns, rows) => {
      const feeds: Record<string, Tensor> = {};
      for (const input of signature.inputs) feeds[input.name] = toTensor(input, columns[input.name], rows);
      const results = await runSession(session, feeds, outputNames);
      const outputs: OutputColumns = {};
      for (const output of signature.outputs) outputs[output.name] = toColumn(output, results[output.name], rows);
      return outputs;
    },
    release: () => session.release(),
  };
};
