/**
 * The process of one loaded model version: loads it, warms it up, answers one batch after the other.
 *
 * ONNX Runtime works on the event loop of its process, and a model may hang there for ever or take all memory. So this process
 * may die at any moment; the gateway kills it when it is late. A thread of its own, which no model can block, ends the process when the
 * gateway is gone or when it has taken too much memory. As the process does nothing else, it waits for a batch in a blocking read: that wakes
 * sooner than an event loop, and a batch that came meanwhile is there without waiting.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readSync, writeSync } from 'node:fs';
import { openSession, type ModelSession } from '../adapters/onnx/session.ts';
import { startWatchdog } from '../adapters/onnx/watchdog.ts';
import type { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { allocateColumn, widthOf, type ColumnData, type TensorColumns } from '../domain/tensor-columns.ts';
import { alignedBytes, HEADER_BYTES, jsonFrame, readHeader, readJson, readTensors, tensorFrame } from './host-frames.ts';
import type { HostNotice, LoadRequest } from './host-messages.ts';

/** The socket to the gateway, as this process inherits it. */
const GATEWAY = 3;

/** Exactly so many bytes from the gateway; the process ends when the gateway is gone. */
const read = (length: number): Buffer => {
  const bytes = alignedBytes(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(GATEWAY, bytes, filled, length - filled, null);
    if (count === 0) process.exit(0);
    filled += count;
  }
  return bytes;
};

const write = (frame: Buffer): void => {
  let written = 0;
  while (written < frame.length) written += writeSync(GATEWAY, frame, written);
};

const notify = (notice: HostNotice): void => write(jsonFrame(notice));

const columnsOf = (signature: ModelSignature, tensors: ColumnData[]): TensorColumns =>
  Object.fromEntries(signature.inputs.map((input, place) => [input.name, tensors[place] ?? []]));

/** Runs one row of zeros and empty strings, so that the first client does not pay for first use. That the model may not like them is no fault. */
const warmUp = async (session: ModelSession, signature: ModelSignature): Promise<void> => {
  const tensors = signature.inputs.map((input) => allocateColumn(input.datatype, widthOf(input)));
  await session.run(columnsOf(signature, tensors), 1).catch(() => undefined);
};

type LoadedModel = { session: ModelSession; signature: ModelSignature };

const load = async (request: LoadRequest): Promise<LoadedModel> => {
  startWatchdog(request.memoryLimitBytes);
  const bytes = readFileSync(request.path);
  if (createHash('sha256').update(bytes).digest('hex') !== request.sha256) {
    throw new PerennialFailure('ArtifactCorrupt', 'the bytes of the model on the disk of the gateway do not match their hash');
  }
  const session = await openSession(bytes, request.signature, { threads: request.threads });
  await warmUp(session, request.signature);
  return { session, signature: request.signature };
};

const run = async ({ session, signature }: LoadedModel, payload: Buffer): Promise<Buffer> => {
  const { rows, tensors } = readTensors(signature.inputs, payload);
  const outputs = await session.run(columnsOf(signature, tensors), rows);
  return tensorFrame(signature.outputs, [{ rows, tensors: signature.outputs.map((output) => outputs[output.name] ?? []) }]);
};

const notifyFailure = (error: unknown): void => {
  const code = error instanceof PerennialFailure ? error.code : 'Internal';
  notify({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
};

const serve = async (): Promise<never> => {
  let loaded: LoadedModel | undefined;
  for (;;) {
    const { kind, payloadBytes } = readHeader(read(HEADER_BYTES));
    const payload = read(payloadBytes);
    try {
      if (kind === 'json') {
        loaded = await load(readJson(payload) as LoadRequest);
        notify({ type: 'loaded' });
      } else if (loaded === undefined) throw new PerennialFailure('ModelUnavailable', 'no model is loaded');
      else write(await run(loaded, payload));
    } catch (error) {
      notifyFailure(error);
    }
  }
};

// Signals to the process group are for the gateway, which ends its hosts when it has drained.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
await serve();
