/**
 * `npm run bench:orchestration`: seven steps that do nothing, through Perennial's API with its run and step rows, against the bare
 * TypeScript SDK with seven activities on the same tuned server. Both are asked for their result alike.
 *
 * `--rounds N` single runs each (default 40), `--bursts N` rounds of 50 at once (default 8).
 */
import { mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { nodeCommand } from '../../deploy/local/programs.ts';
import { startStack } from '../../deploy/local/stack.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { startChild } from './child.ts';
import { bareSdk, perennial, STEPS, type Contender } from './contenders.ts';
import { measureLatency, measureThroughput, pairedRatio, quantile, type Samples } from './measure.ts';
import { versionsOf } from './versions.ts';

const CONCURRENCY = 50;

const optionsOf = (args: string[]): { rounds: number; bursts: number } => {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string', default: '40' }, bursts: { type: 'string', default: '8' } } });
  return { rounds: Number(values.rounds), bursts: Number(values.bursts) };
};

const line = (what: string, unit: string, samples: Samples): string[] =>
  (['perennial', 'bare SDK'] as const).map((name) => {
    const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => quantile(samples[name], share).toFixed(1).padStart(8));
    return `${what.padEnd(34)} ${name.padEnd(10)} ${middle} ${unit.padEnd(7)} ${low} ${high}   ${samples[name].length}`;
  });

const report = (latency: Samples, throughput: Samples): void => {
  console.log(`\n${'seven no-op steps'.padEnd(34)} ${'side'.padEnd(10)} ${'median'.padStart(8)} ${''.padEnd(7)} ${'p10'.padStart(8)} ${'p90'.padStart(8)}   samples`);
  for (const text of line('one at a time, start to result', 'ms', latency)) console.log(text);
  for (const text of line(`${CONCURRENCY} at once`, 'runs/s', throughput)) console.log(text);
  const ratios = {
    latency_vs_bare_sdk: pairedRatio(latency['bare SDK'], latency.perennial),
    throughput_vs_bare_sdk: pairedRatio(throughput.perennial, throughput['bare SDK']),
  };
  console.log(`\n${process.platform} ${process.arch}, ${availableParallelism()} cores, ${STEPS} steps`);
  console.log(JSON.stringify({ bench: 'orchestration', ratios, versions: versionsOf() }));
};

const measure = async (contenders: Contender[], { rounds, bursts }: { rounds: number; bursts: number }): Promise<void> => {
  console.log('warming up');
  await measureLatency(contenders, 10);
  await measureThroughput(contenders, { rounds: 1, concurrency: CONCURRENCY });
  console.log(`measuring ${rounds} single runs and ${bursts} bursts of ${CONCURRENCY}, in turn`);
  const latency = await measureLatency(contenders, rounds);
  const throughput = await measureThroughput(contenders, { rounds: bursts, concurrency: CONCURRENCY });
  report(latency, throughput);
};

const main = async (): Promise<void> => {
  const options = optionsOf(process.argv.slice(2));
  const home = mkdtempSync(join(tmpdir(), 'perennial-bench-'));
  console.log('starting PostgreSQL, Temporal, the API and two workers');
  const stack = await startStack({ home, ports: 'free', pools: ['workflows', 'data'], gateways: 0 });
  if (stack.adminKey === undefined) throw new Error('the new stack has no admin key');
  const api = { url: stack.urls.api, key: stack.adminKey };
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const worker = await startChild(nodeCommand(join(repositoryRoot, 'bench', 'orchestration', 'bare-worker.ts'), [stack.urls.temporal]));
  try {
    const client = new Client({ connection });
    await measure([await perennial(api), bareSdk(client)], options);
  } finally {
    await worker.stop();
    await connection.close();
    await stack.stop({ removeHome: true });
  }
};

await main();
