import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { nodeCommand } from '../../deploy/local/programs.ts';
import { startStack } from '../../deploy/local/stack.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { bareSdk, perennial } from './contenders.ts';
import { measureLatency, measureThroughput, median } from './measure.ts';
import { startChild } from './child.ts';
const home = mkdtempSync(join(tmpdir(), 'perennial-bench-'));
const stack = await startStack({ home, ports: 'free', pools: ['workflows', 'data'], gateways: 0, environment: process.env['PROF'] ? { NODE_OPTIONS: '--import /tmp/prof.mjs' } : {} });
const connection = await Connection.connect({ address: stack.urls.temporal });
const worker = await startChild(nodeCommand(join(repositoryRoot, 'bench', 'orchestration', 'bare-worker.ts'), [stack.urls.temporal]));
const client = new Client({ connection });
const ours = await perennial({ url: stack.urls.api, key: stack.adminKey! }), bare = bareSdk(client);
await measureLatency([ours, bare], 5); await measureThroughput([ours, bare], { rounds: 2, concurrency: 50 });
for (const side of [ours, bare]) {
  const prof = spawn('python3', ['/tmp/prof.py', '12'], { stdio: 'inherit' });
  const done = new Promise((r) => prof.once('exit', r));
  let stop = false; void done.then(() => (stop = true));
  let n = 0; const t = performance.now(); const rates: number[] = [];
  while (!stop) { const s = await measureThroughput([side], { rounds: 1, concurrency: 50 }); rates.push(s[side.name][0]!); n += 50; }
  console.log(side.name, 'rates', rates.map((r) => r.toFixed(1)).join(' '), 'runs/s overall', (n / (performance.now() - t) * 1000).toFixed(2));
}
await worker.stop(); await connection.close(); await stack.stop({ removeHome: true });
