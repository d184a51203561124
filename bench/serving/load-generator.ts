/**
 * The load of the serving benchmark, in a process of its own: `load-generator.ts <host> <port> <connections> <warm-up ms> <ms> <key>`.
 * Raw sockets, one request at a time on each, the same bytes for every server. It prints one JSON line.
 */
import { connect, type Socket } from 'node:net';

const [host = '127.0.0.1', port = '0', connections = '1', warmUpMs = '1000', measureMs = '1000', key = ''] = process.argv.slice(2);

const FEATURES = 30;
const VARIANTS = 256;

/** A small generator with a fixed seed (mulberry32): every run and every server gets the same rows. */
const createRandom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

const random = createRandom(7);
const requests = Array.from({ length: VARIANTS }, () => {
  const data = Array.from({ length: FEATURES }, () => Math.fround(random() * 4 - 2).toFixed(6)).map(Number);
  const body = JSON.stringify({ inputs: [{ name: 'input', shape: [1, FEATURES], datatype: 'FP32', data }] });
  return Buffer.from(`POST /v2/models/bench/infer HTTP/1.1\r\nhost: ${host}:${port}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
});

const begunAt = performance.now();
const measureFrom = begunAt + Number(warmUpMs);
const measureUntil = measureFrom + Number(measureMs);
const latencies: number[] = [];
let failures = 0;
let sent = 0;

/** Length of a whole answer at the start of the buffer; 0 while it is not whole. */
const answerLength = (buffer: Buffer): number => {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd === -1) return 0;
  const length = /content-length: (\d+)/i.exec(buffer.toString('latin1', 0, headEnd))?.[1];
  const total = headEnd + 4 + Number(length);
  return buffer.length >= total ? total : 0;
};

const drive = (socket: Socket, done: () => void): void => {
  let askedAt = 0;
  let pending: Buffer | undefined;
  const ask = (): void => {
    askedAt = performance.now();
    sent += 1;
    socket.write(requests[sent % VARIANTS] as Buffer);
  };
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    pending = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    if (answerLength(pending) === 0) return;
    const now = performance.now();
    if (pending.toString('latin1', 9, 12) !== '200') failures += 1;
    if (askedAt >= measureFrom && now <= measureUntil) latencies.push(now - askedAt);
    pending = undefined;
    if (now < measureUntil) ask();
    else socket.end();
  });
  socket.on('connect', ask);
  socket.on('error', () => (failures += 1));
  socket.on('close', done);
};

let open = Number(connections);
const finish = (): void => {
  open -= 1;
  if (open > 0) return;
  latencies.sort((left, right) => left - right);
  const quantile = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN;
  console.log(JSON.stringify({ requestsPerSecond: latencies.length / (Number(measureMs) / 1_000), p50Ms: quantile(0.5), p99Ms: quantile(0.99), failures }));
};
for (let index = 0; index < Number(connections); index += 1) drive(connect(Number(port), host), finish);
