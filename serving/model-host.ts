/**
 * The process of one loaded model version: loads it, warms it up, answers one batch at a time.
 *
 * ONNX Runtime works on the event loop of its process, and a model may hang there for ever or take all memory. So this process
 * may die at any moment; the gateway kills it when it is late. A thread of its own, which no model can block, ends the process when the
 * gateway is gone or when it has taken too much memory.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkModel } from '../adapters/onnx/model-check.ts';
import { openSession, type ModelSession } from '../adapters/onnx/session.ts';
import { startWatchdog } from '../adapters/onnx/watchdog.ts';
import type { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { allocateColumn, widthOf, type ColumnData, type TensorColumns } from '../domain/tensor-columns.ts';
import type { HostAnswer, HostRequest } from './host-messages.ts';

const answer = (message: HostAnswer): void => {
  process.send?.(message);
};

const columnsOf = (signature: ModelSignature, tensors: ColumnData[]): TensorColumns =>
  Object.fromEntries(signature.inputs.map((input, place) => [input.name, tensors[place] ?? []]));

/** Runs one row of zeros and empty strings, so that the first client does not pay for first use. That the model may not like them is no fault. */
const warmUp = async (session: ModelSession, signature: ModelSignature): Promise<void> => {
  const tensors = signature.inputs.map((input) => allocateColumn(input.datatype, widthOf(input)));
  await session.run(columnsOf(signature, tensors), 1).catch(() => undefined);
};

type LoadedModel = { session: ModelSession; signature: ModelSignature };

const load = async (request: Extract<HostRequest, { type: 'load' }>): Promise<LoadedModel> => {
  startWatchdog(request.memoryLimitBytes);
  const bytes = await readFile(request.path);
  if (createHash('sha256').update(bytes).digest('hex') !== request.sha256) {
    throw new PerennialFailure('ArtifactCorrupt', 'the bytes of the model on the disk of the gateway do not match their hash');
  }
  checkModel(bytes, request.signature);
  const session = await openSession(bytes, request.signature, { threads: request.threads });
  await warmUp(session, request.signature);
  return { session, signature: request.signature };
};

const run = async ({ session, signature }: LoadedModel, request: Extract<HostRequest, { type: 'run' }>): Promise<ColumnData[]> => {
  const outputs = await session.run(columnsOf(signature, request.tensors), request.rows);
  return signature.outputs.map((output) => outputs[output.name] ?? []);
};

let loaded: LoadedModel | undefined;

const handle = async (request: HostRequest): Promise<HostAnswer> => {
  if (request.type === 'load') {
    loaded = await load(request);
    return { type: 'loaded' };
  }
  if (loaded === undefined) throw new PerennialFailure('ModelUnavailable', 'no model is loaded');
  return { type: 'outputs', tensors: await run(loaded, request) };
};

process.on('message', (request: HostRequest) => {
  handle(request).then(answer, (error: unknown) => {
    const code = error instanceof PerennialFailure ? error.code : 'Internal';
    answer({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
  });
});
process.on('disconnect', () => process.exit(0));
// The gateway may have died while this process was starting.
if (!process.connected) process.exit(0);
// Signals to the process group are for the gateway, which ends its hosts when it has drained.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
