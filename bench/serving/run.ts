/**
 * `npm run bench:serving [-- --rounds 3 --seconds 4 --connections 1,16,64]`: single rows of a LightGBM model over HTTP V2 JSON, our gateway with everything on against
 * FastAPI with onnxruntime, in turn, on this machine. Ends with one line of JSON.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { removeOutsideData } from '../../deploy/local/postgres-location.ts';
import { nodeCommand } from '../../deploy/local/programs.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { pythonPart } from '../../deploy/local/tools/python.ts';
import { startFastApi, startGateway, type Server } from './servers.ts';

/** Before the first round each server gets this much load: it is the steady state that is compared, of compiled code and of files written before. */
const STEADY_AFTER_MS = 15_000;
const WARM_UP_MS = 1_500;
const here = join(repositoryRoot, 'bench', 'serving');
const LOAD_GENERATOR = fileURLToPath(new URL('./load-generator.ts', import.meta.url));
const run = promisify(execFile);

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' }, connections: { type: 'string', default: '1,16,64' } } });
const CONNECTIONS = values.connections.split(',').map(Number);
const rounds = Number(values.rounds);
const measureMs = Number(values.seconds) * 1_000;

type Load = { requestsPerSecond: number; p50Ms: number; p99Ms: number; failures: number };
type Measurement = Load & { server: string; connections: number };

const requirements = join(here, 'peers', 'requirements.txt');

const peerPython = async (): Promise<string> => {
  const part = pythonPart({ requirements });
  return part.find() ?? (await part.build((line) => console.log(line)));
};

const loadOn = async (server: Server, connections: number, times: { warmUpMs: number; measureMs: number }): Promise<Load> => {
  const [node = '', ...args] = nodeCommand(LOAD_GENERATOR, ['127.0.0.1', String(server.port), String(connections), String(times.warmUpMs), String(times.measureMs), server.key]);
  const { stdout } = await run(node, args);
  await server.settle();
  return JSON.parse(stdout) as Load;
};

const measure = async (server: Server, connections: number): Promise<Measurement> => {
  const load = await loadOn(server, connections, { warmUpMs: WARM_UP_MS, measureMs });
  if (load.failures > 0) throw new Error(`${load.failures} requests to ${server.name} failed`);
  return { ...load, server: server.name, connections };
};

const median = (numbers: readonly number[]): number => [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? NaN;

const summarise = (measurements: readonly Measurement[], server: string, connections: number) => {
  const mine = measurements.filter((entry) => entry.server === server && entry.connections === connections);
  const rates = mine.map((entry) => entry.requestsPerSecond);
  return { rate: median(rates), low: Math.min(...rates), high: Math.max(...rates), p50Ms: median(mine.map((entry) => entry.p50Ms)), p99Ms: median(mine.map((entry) => entry.p99Ms)) };
};

const versionsOf = (): Record<string, string> => {
  const pinned = readFileSync(requirements, 'utf8');
  const peer = (name: string): string => new RegExp(`^${name}==([^ ]+)`, 'm').exec(pinned)?.[1] ?? 'unknown';
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  return { node: process.versions.node, 'onnxruntime-node': dependencies['onnxruntime-node'] ?? 'unknown', fastapi: peer('fastapi'), uvicorn: peer('uvicorn'), onnxruntime: peer('onnxruntime'), cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}` };
};

const printTable = (measurements: readonly Measurement[], servers: readonly Server[]): Record<string, number> => {
  console.log('\nconnections  server      requests/s (median, lowest to highest)     p50 ms    p99 ms');
  const ratios: Record<string, number> = {};
  for (const connections of CONNECTIONS) {
    for (const { name } of servers) {
      const { rate, low, high, p50Ms, p99Ms } = summarise(measurements, name, connections);
      const spread = `${rate.toFixed(0).padStart(6)}   ${low.toFixed(0)} to ${high.toFixed(0)}`;
      console.log(`${String(connections).padStart(11)}  ${name.padEnd(10)}  ${spread.padEnd(40)}  ${p50Ms.toFixed(2).padStart(8)}  ${p99Ms.toFixed(2).padStart(8)}`);
    }
    const [ours, peer] = ['perennial', 'fastapi'].map((name) => summarise(measurements, name, connections).rate);
    ratios[`throughput_c${connections}_vs_fastapi`] = Math.round(((ours ?? NaN) / (peer ?? NaN)) * 100) / 100;
  }
  return ratios;
};

const bench = async (home: string, servers: Server[]): Promise<void> => {
  const python = await peerPython();
  const modelFile = join(home, 'model.onnx');
  await run(python, [join(here, 'peers', 'make_model.py'), modelFile]);
  servers.push(await startGateway(join(home, 'perennial'), modelFile), await startFastApi(home, { modelFile, python }));
  const measurements: Measurement[] = [];
  console.log(`${STEADY_AFTER_MS / 1_000} s of load on each server before the first round`);
  for (const server of servers) await loadOn(server, Math.max(...CONNECTIONS), { warmUpMs: 0, measureMs: STEADY_AFTER_MS });
  for (let round = 1; round <= rounds; round += 1) {
    for (const connections of CONNECTIONS) {
      for (const server of servers) {
        const measurement = await measure(server, connections);
        console.log(`round ${round}: ${connections} connections, ${server.name}: ${measurement.requestsPerSecond.toFixed(0)} requests/s`);
        measurements.push(measurement);
      }
    }
  }
  console.log(JSON.stringify({ bench: 'serving', ratios: printTable(measurements, servers), versions: versionsOf() }));
};

const home = mkdtempSync(join(tmpdir(), 'perennial-bench-'));
const servers: Server[] = [];
try {
  await bench(home, servers);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  removeOutsideData(join(home, 'perennial'));
  rmSync(home, { recursive: true, force: true });
}
