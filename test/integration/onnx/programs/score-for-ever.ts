/** A worker in small: it scores with a model that gives no answer, until somebody kills it. */
import { createModelRuntime } from '../../../../adapters/onnx/model-runtime.ts';
import { fixturePath, namedFeatures, readModel, simpleSignature } from '../../../unit/onnx/fixtures.ts';

const folder = process.argv[2]!;
const runtime = createModelRuntime({ scratch: async () => ({ folder, dispose: async () => undefined }), deadlineMs: 600_000 });
const features = { ...namedFeatures, columns: [namedFeatures.columns[0]!] };
await runtime.score({ model: readModel('slow'), signature: simpleSignature, rowsFile: fixturePath('named-rows.parquet'), features });
