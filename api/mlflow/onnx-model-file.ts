/** The file `MLmodel` beside an ONNX model, by which MLflow's clients know how to load it. JSON, which is YAML. */
import { createHash } from 'node:crypto';
import type { ModelSignature, SignatureTensor } from '../../contracts/features.ts';

export const ONNX_REQUIREMENTS = 'onnx\nonnxruntime\n';

const DTYPES: Record<SignatureTensor['datatype'], string> = {
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
  BYTES: 'str',
};

const specOf = ({ name, datatype, shape }: SignatureTensor) => ({ name, type: 'tensor', 'tensor-spec': { dtype: DTYPES[datatype], shape } });

export const onnxModelFile = ({ name, version, signature, createdAt }: { name: string; version: number; signature: ModelSignature; createdAt: Date }): string =>
  JSON.stringify({
    artifact_path: 'model',
    flavors: {
      onnx: { code: null, data: 'model.onnx', onnx_version: null, providers: ['CPUExecutionProvider'] },
      python_function: { data: 'model.onnx', loader_module: 'mlflow.onnx', env: { virtualenv: 'requirements.txt' } },
    },
    model_uuid: createHash('sha256').update(`${name}/${version}`).digest('hex').slice(0, 32),
    signature: { inputs: JSON.stringify(signature.inputs.map(specOf)), outputs: JSON.stringify(signature.outputs.map(specOf)), params: null },
    utc_time_created: createdAt.toISOString().replace('T', ' ').replace('Z', '000'),
  });
