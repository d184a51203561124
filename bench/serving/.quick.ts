import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { removeOutsideData } from '/work/main/deploy/local/postgres-location.ts';
import { nodeCommand } from '/work/main/deploy/local/programs.ts';
import { pythonPart } from '/work/main/deploy/local/tools/python.ts';
import { startGateway } from '/work/main/bench/serving/servers.ts';
const python = pythonPart({ requirements: '/work/main/bench/serving/peers/requirements.txt' }).find() as string;
if (!existsSync('/tmp/prof/model.onnx')) execFileSync(python, ['/work/main/bench/serving/peers/make_model.py', '/tmp/prof/model.onnx']);
const home = mkdtempSync('/tmp/perennial-quick-');
const s = await startGateway(home, '/tmp/prof/model.onnx');
try {
  for (const c of (process.argv[2] ?? '1,16,64,16').split(',')) {
    const [node, ...args] = nodeCommand('/work/main/bench/serving/load-generator.ts', ['127.0.0.1', String(s.port), c, '1500', '4000', s.key]);
    console.log(c, execFileSync(node as string, args).toString().trim());
    await s.settle();
  }
} finally { await s.stop(); removeOutsideData(home); rmSync(home, {recursive:true, force:true}); }
