/**
 * `npm run bench:tracking [-- --rounds 5]`: the tracking API against `mlflow server` (SQLite, one worker process) from PyPI, in turn, one request at a time over one
 * connection each, on the same runs. Ours with everything on: keys, PostgreSQL with durable writes. Ends with one line of JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mlflow3Client } from '../../deploy/local/tools/client-environments.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { startOurs, startPeer, type OurServer, type Server } from './servers.ts';
import { searchOf, WORKLOADS, type Workload } from './workloads.ts';

const RUNS = 10_000;
const MANY_RUNS = 100_000;
const WARM_UP = 0.25;
const STARTS = 3;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);

type Samples = Record<Server['name'], number[]>;

const quantile = (numbers: readonly number[], share: number): number => [...numbers].sort((left, right) => left - right)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? NaN;

const timed = async (act: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
};

const measure = async (workload: Workload, servers: readonly Server[]): Promise<Samples> => {
  const samples: Samples = { perennial: [], mlflow: [] };
  for (let round = 0; round <= rounds; round += 1) {
    // Each round begins with the other server than the one before; the first, shorter one warms up.
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      const prepared = await workload.prepare(server);
      const repeat = round === 0 ? Math.ceil(workload.repeat * WARM_UP) : workload.repeat;
      for (let index = 0; index < repeat; index += 1) {
        const took = await timed(() => workload.act(server, prepared));
        if (round > 0) samples[server.name].push(took);
      }
    }
  }
  return samples;
};

/** Both must find the same runs, or the comparison says nothing. */
const requireSameAnswers = async (servers: readonly Server[]): Promise<void> => {
  const answers = await Promise.all(servers.map(async (server) => ((await server.call('POST', 'runs/search', searchOf(server))) as { runs: { info: { run_name: string } }[] }).runs.map(({ info }) => info.run_name)));
  if (answers[0]?.length !== 100 || JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) throw new Error('the two servers find different runs');
};

const line = (name: string, server: string, samples: readonly number[]): void => {
  const [p50, p95] = [quantile(samples, 0.5), quantile(samples, 0.95)].map((value) => value.toFixed(2).padStart(9));
  console.log(`${name.padEnd(30)} ${server.padEnd(10)} ${p50} ${p95}   ${samples.length}`);
};

const measureOurs = async (ours: OurServer): Promise<{ startMs: number; searchP95Ms: number }> => {
  const starts: number[] = [];
  for (let start = 0; start < STARTS; start += 1) starts.push(await ours.startAnother());
  line('start of the API to /readyz', 'perennial', starts);
  await ours.grow(MANY_RUNS);
  const searches: number[] = [];
  for (let index = 0; index < 100; index += 1) searches.push(await timed(() => ours.call('POST', 'runs/search', searchOf(ours))));
  line('search in 100,000 runs', 'perennial', searches);
  return { startMs: Math.round(quantile(starts, 0.5)), searchP95Ms: Math.round(quantile(searches, 0.95) * 10) / 10 };
};

const versionsOf = (): Record<string, string> => {
  const pinned = readFileSync(join(repositoryRoot, 'test', 'clients', 'requirements', 'mlflow3.txt'), 'utf8');
  return { node: process.version, mlflow: /^mlflow==([^ ]+)/m.exec(pinned)?.[1] ?? 'unknown', cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}` };
};

const bench = async (home: string, stops: (() => Promise<void>)[]): Promise<void> => {
  console.log(`seeding both with ${RUNS} runs of 20 metrics, and starting them`);
  const ours = await startOurs(join(home, 'perennial'), RUNS);
  stops.push(() => ours.stop());
  const python = mlflow3Client.find() ?? (await mlflow3Client.build((text) => console.log(text)));
  const peer = await startPeer(join(home, 'mlflow'), { python, runs: RUNS });
  stops.push(() => peer.stop());
  await requireSameAnswers([ours, peer]);
  console.log(`\n${'work'.padEnd(30)} ${'server'.padEnd(10)} ${'p50 ms'.padStart(9)} ${'p95 ms'.padStart(9)}   samples`);
  const ratios: Record<string, number> = {};
  for (const workload of WORKLOADS) {
    const samples = await measure(workload, [ours, peer]);
    for (const name of ['perennial', 'mlflow'] as const) line(workload.name, name, samples[name]);
    ratios[workload.ratio] = Math.round((quantile(samples.mlflow, 0.5) / quantile(samples.perennial, 0.5)) * 100) / 100;
  }
  await peer.stop();
  const figures = await measureOurs(ours);
  console.log(JSON.stringify({ bench: 'tracking', ratios, figures, versions: versionsOf() }));
};

const home = mkdtempSync(join(tmpdir(), 'perennial-bench-'));
const stops: (() => Promise<void>)[] = [];
try {
  await bench(home, stops);
} finally {
  await Promise.allSettled(stops.map((stop) => stop()));
  rmSync(home, { recursive: true, force: true });
}
