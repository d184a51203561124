/** V2 over gRPC: Triton's own client, and calls that no client would send. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tritonClient } from '../../../deploy/local/tools/client-environments.ts';
import { repositoryRoot } from '../../../deploy/local/tools/machine.ts';
import { inferenceIdsOf } from '../../faults/prediction-store.ts';
import { createClient } from './support/client.ts';
import { CONVERSIONS } from './support/conversions.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { MIXED_SIGNATURE, TYPED_SIGNATURE, startRig, type Rig } from './support/rig.ts';

const { root } = protobuf.parse(readFileSync(new URL('../../../serving/grpc/open-inference.proto', import.meta.url), 'utf8'));
const InferRequest = root.lookupType('inference.ModelInferRequest');

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;
beforeAll(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.register('mixed', 1, 'mixed', MIXED_SIGNATURE);
  await rig.register('typed', 1, 'typed', TYPED_SIGNATURE);
  await rig.deploy('sum', { stable: 1 });
  await rig.deploy('typed', { stable: 1 });
  await rig.deploy('mixed', { stable: 1 });
  gateway = await rig.startGateway();
  client = new Client(gateway.grpc, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).ok, { what: 'the gateway is ready' });
});
afterAll(async () => {
  client?.close();
  await rig?.stop();
});

type Outcome = { code: status; details: string; failure: unknown; role: unknown };

const identity = (bytes: Buffer): Buffer => bytes;

/** Sends bytes as the message of a method; with a key, unless `authorization` says otherwise. */
const send = (bytes: Uint8Array, { method = 'ModelInfer', authorization = `Bearer ${rig.key}`, by = client }: { method?: string; authorization?: string; by?: Client } = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    const metadata = new Metadata();
    metadata.set('authorization', authorization);
    let role: unknown;
    const call = by.makeUnaryRequest(`/inference.GRPCInferenceService/${method}`, identity, identity, Buffer.from(bytes), metadata, { deadline: Date.now() + 60_000 }, (error) => {
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? '', failure: error?.metadata.get('x-perennial-error')[0], role });
    });
    call.on('metadata', (received) => ([role] = received.get('x-perennial-role')));
  });

const message = (fields: object): Uint8Array => InferRequest.encode(InferRequest.fromObject({ modelName: 'sum', ...fields })).finish();
const x = { name: 'x', datatype: 'FP32', shape: [1, 3], contents: { fp32Contents: [1, 2, 3] } };
const good = message({ inputs: [x] });

type Inference = { scores: number[]; shape: number[]; version: string; id: string; is_raw: boolean };
type Spoken = { plain: Inference; pinned: Inference; wanted: Inference; compressed: Inference; refused: object } & Record<string, unknown>;

test("Triton's client gets what clients of HTTP get, and is told what is wrong", async () => {
  const python = tritonClient.find();
  if (python === undefined) throw new Error('the environment of the Triton client is missing: run `npm run setup`');
  const { stdout } = await promisify(execFile)(python, ['test/clients/triton_grpc_client.py', gateway.grpc, rig.key], { cwd: repositoryRoot, timeout: 120_000 });
  const { plain, pinned, wanted, compressed, refused, ...spoken } = JSON.parse(stdout) as Spoken;
  const answer = { scores: [7, 16.5], shape: [2, 1], version: '1', is_raw: true };
  expect(plain).toEqual({ ...answer, id: 'from-triton-grpc-1' });
  for (const other of [pinned, wanted, compressed]) expect(other).toMatchObject(answer);
  expect(spoken).toEqual({
    live: true,
    ready: true,
    model_ready: true,
    server: expect.objectContaining({ name: 'perennial', extensions: ['binary_tensor_data', 'model_repository', 'statistics'] }),
    model: { name: 'sum', versions: ['1'], platform: 'onnxruntime_onnx', inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '3'] }], outputs: [{ name: 'score', datatype: 'FP32', shape: ['-1', '1'] }] },
    typed: { scores: [7, 2 ** 40], id: 'typed-1', metadata: { 'x-request-id': 'typed-1', 'x-perennial-role': 'stable', 'x-perennial-version': '1' } },
    mixed: [1, 3.5, 2 ** 40],
    values: TYPED_SIGNATURE.inputs.map(({ name }) => name).sort(),
    converted: CONVERSIONS,
    index: ['mixed', 'sum', 'typed'].map((name) => ({ name, version: '1', state: 'READY' })),
    statistics: [expect.objectContaining({ name: 'sum', version: '1', inference_count: '8', execution_count: '4', inference_stats: expect.objectContaining({ success: { count: '4', ns: expect.any(String) }, fail: {} }) })],
    load: null,
    asynchronous: true,
  });
  expect(refused).toEqual({
    other_model: ['StatusCode.NOT_FOUND', 'There is no model "nothing" at this gateway.'],
    other_version: ['StatusCode.NOT_FOUND', expect.stringContaining('Version 7 of sum is not loaded')],
    no_key: ['StatusCode.UNAUTHENTICATED', expect.stringContaining('A valid API key is needed')],
    wrong_key: ['StatusCode.UNAUTHENTICATED', expect.stringContaining('A valid API key is needed')],
    missing: ['StatusCode.INVALID_ARGUMENT', 'inputs[0] "x" data[1] (row 0): null is not allowed, because the signature does not say missing: allowed'],
    wide: ['StatusCode.INVALID_ARGUMENT', expect.stringContaining('does not fit [-1, 3]')],
    wrong_type: ['StatusCode.INVALID_ARGUMENT', expect.stringContaining('"BOOL", input "x" is FP32')],
    wrong_name: ['StatusCode.INVALID_ARGUMENT', expect.stringContaining('is not an input of the model')],
    wrong_output: ['StatusCode.INVALID_ARGUMENT', expect.stringContaining('is not an output of the model')],
    load_other: ['StatusCode.FAILED_PRECONDITION', expect.stringContaining('cannot be given when a model is loaded')],
    unload: ['StatusCode.FAILED_PRECONDITION', expect.stringContaining('sum cannot be unloaded by this call')],
    late: ['StatusCode.DEADLINE_EXCEEDED', expect.any(String)],
    no_method: ['StatusCode.UNIMPLEMENTED', expect.any(String)],
  });
  await eventually(
    async () => {
      const shipped = await inferenceIdsOf({ pool: rig.database.pool, artifacts: rig.store }, ['sum']);
      return [plain, pinned, wanted, compressed].every(({ id }) => shipped.has(`${id}/0`) && shipped.has(`${id}/1`));
    },
    { what: 'the rows of each call are in the store' },
  );
});

test('messages that are no request are refused in clear words, whatever their size, and cost the others nothing', async () => {
  const many = (bytes: readonly number[], megabytes: number): Buffer => Buffer.alloc(megabytes * 1024 * 1024, Buffer.from(bytes));
  const raw = { ...x, contents: undefined };
  const cases: [what: string, message: Uint8Array, code: status, words: RegExp][] = [
    ['empty', Buffer.alloc(0), status.NOT_FOUND, /no model of this name/],
    ['cut off', good.subarray(0, good.length - 3), status.INVALID_ARGUMENT, /no Protocol Buffers message/],
    ['of another type', Buffer.from([0x08, 0x01]), status.INVALID_ARGUMENT, /field 1 has the wire type 0/],
    ['with groups', many([0x0b], 1), status.INVALID_ARGUMENT, /the tag 11 is none/],
    ['with a name that is not UTF-8', Buffer.from([0x0a, 0x01, 0xff]), status.INVALID_ARGUMENT, /not UTF-8/],
    ['with a list beyond its end', Buffer.from([0x2a, 0xff, 0xff, 0xff, 0x7f]), status.INVALID_ARGUMENT, /beyond its end/],
    ['with millions of inputs', many([0x2a, 0x00], 7), status.INVALID_ARGUMENT, /inputs: has more than 2000 entries/],
    ['with millions of raw inputs', many([0x3a, 0x00], 7), status.INVALID_ARGUMENT, /raw_input_contents: has more than 2000 entries/],
    ['with a billion rows', message({ inputs: [{ ...x, shape: [1_000_000_000, 3] }] }), status.INVALID_ARGUMENT, /rows are more than|values, shape/],
    ['with negative rows', message({ inputs: [{ ...x, shape: [-1, 3] }] }), status.INVALID_ARGUMENT, /does not fit \[-1, 3\]/],
    ['with values in two places', message({ inputs: [x], rawInputContents: [Buffer.alloc(12)] }), status.INVALID_ARGUMENT, /is there, and raw_input_contents too/],
    ['with too few raw inputs', message({ inputs: [raw, raw], rawInputContents: [Buffer.alloc(12)] }), status.INVALID_ARGUMENT, /has 1 entries for 2 inputs/],
    ['with half a value', message({ inputs: [raw], rawInputContents: [Buffer.alloc(11)] }), status.INVALID_ARGUMENT, /11 bytes are no whole number of values/],
    ['with values of another kind', message({ inputs: [{ ...x, contents: { intContents: [1, 2, 3] } }] }), status.INVALID_ARGUMENT, /values of FP32 belong in fp32_contents, not in int_contents/],
    ['with a key that is no string', message({ inputs: [x], parameters: { key: { int64Param: 5 } } }), status.INVALID_ARGUMENT, /parameters\.key: must be a string/],
    ['of 9 MB', message({ inputs: [{ ...raw, shape: [700_000, 3] }], rawInputContents: [Buffer.alloc(9_000_000)] }), status.RESOURCE_EXHAUSTED, /larger than max/],
  ];
  for (const [what, bytes, code, words] of cases) {
    const { details, ...refused } = await send(bytes);
    expect([what, refused.code, details], what).toEqual([what, code, expect.stringMatching(words)]);
  }
  expect(await send(Buffer.alloc(100_000), { method: 'ModelReady' })).toMatchObject({ code: status.INVALID_ARGUMENT, failure: 'MalformedBody' });
  expect(await send(Buffer.from([0x0a, 0x7f]), { method: 'ModelReady' })).toMatchObject({ code: status.INVALID_ARGUMENT, failure: 'MalformedBody' });
  const compressing = new Client(gateway.grpc, credentials.createInsecure(), { 'grpc.max_send_message_length': -1, 'grpc.default_compression_algorithm': 2 });
  expect(await send(Buffer.alloc(200 * 1024 * 1024), { by: compressing })).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('decompresses to a size larger') });
  compressing.close();
  expect(await send(good, { authorization: 'Basic abc' })).toMatchObject({ code: status.UNAUTHENTICATED, failure: 'Unauthenticated' });
  expect(await send(good, { authorization: `Bearer ${await rig.keyOf('viewer')}` })).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(await send(good)).toMatchObject({ code: status.OK, role: 'stable' });
  expect(gateway.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('the same deployment, split, counts and refusals as over HTTP', async () => {
  await rig.register('sum', 2, 'sum-b');
  await rig.acknowledged('sum', await rig.deploy('sum', { stable: 1, canary: 2, canaryWeight: 50 }));
  const http = createClient(gateway.url, rig.key);
  const metricsText = async (): Promise<string> => (await fetch(`${gateway.url}/metrics`)).text();
  const before = await metricsText();
  const keys = Array.from({ length: 60 }, (_, index) => `customer ${index}`);
  const overGrpc = await Promise.all(keys.map((key) => send(message({ inputs: [x], parameters: { key: { stringParam: key } } }))));
  const overHttp = await Promise.all(keys.map((key) => http.infer('sum', [1, 2, 3], { 'x-perennial-key': key })));
  expect(overGrpc.map(({ role }) => role)).toEqual(overHttp.map(({ headers }) => headers['x-perennial-role']));
  expect(new Set(overGrpc.map(({ role }) => role))).toEqual(new Set(['stable', 'canary']));
  const pinned = await Promise.all(keys.map((key) => send(message({ modelVersion: '2', inputs: [x], parameters: { key: { stringParam: key } } }))));
  expect(new Set(pinned.map(({ role }) => role))).toEqual(new Set(['canary']));
  await send(message({ inputs: [{ ...x, name: 'y' }] }));
  const after = await metricsText();
  const grown = (pattern: RegExp): number => {
    const sum = (text: string): number => [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
    return sum(after) - sum(before);
  };
  expect(grown(/^perennial_inference_requests_total\{model="sum",version="[12]",role="(?:stable|canary)",code="200"\} (\d+)$/gm)).toBe(3 * keys.length);
  expect(grown(/^perennial_inference_requests_total\{model="sum",version="none",role="none",code="400"\} (\d+)$/gm)).toBe(1);
  expect(grown(/^perennial_inference_refusals_total\{model="sum",version="1",reason="unknownInput"\} (\d+)$/gm)).toBe(1);
  await http.close();
});

test('a gateway that is told to stop answers what is under way', async () => {
  const calls = Array.from({ length: 40 }, () => send(good));
  await calls[0];
  expect(await gateway.stop()).toBe(0);
  const outcomes = await Promise.all(calls);
  expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => status.OK));
});
