import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { removeOutsideData } from '/work/main/deploy/local/postgres-location.ts';
import { nodeCommand } from '/work/main/deploy/local/programs.ts';
import { pythonPart } from '/work/main/deploy/local/tools/python.ts';
import { startGateway } from '/work/main/bench/serving/servers.ts';
const python = pythonPart({ requirements: '/work/main/bench/serving/peers/requirements.txt' }).find() as string;
if (!existsSync('/tmp/prof/model.onnx')) execFileSync(python, ['/work/main/bench/serving/peers/make_model.py', '/tmp/prof/model.onnx']);
const home = mkdtempSync('/tmp/perennial-quick-');
const s = await startGateway(home, '/tmp/prof/model.onnx');
const ps = () => { // cpu us per process main thread/others
  const out: Record<string, {main:number[], other:number[]}> = {};
  for (const line of execFileSync('ps', ['-eo','pid=,args='],{encoding:'utf8'}).split('\n')) {
    const m = /^\s*(\d+) (.*)$/.exec(line); if (!m) continue;
    const name = /serving\/(main|model-host|log-shipper)\.ts/.exec(m[2]!)?.[1]; if (!name) continue;
    const pid = m[1]!;
    let isMine=false; try { isMine = readFileSync(`/proc/${pid}/environ`,'utf8').includes(home) || name==='model-host'; } catch { continue; }
    if (!isMine) continue;
    const e = (out[name] ??= {main:[0,0],other:[0,0]});
    try { for (const t of readdirSync(`/proc/${pid}/task`)) { const f = readFileSync(`/proc/${pid}/task/${t}/stat`,'utf8').split(') ')[1]!.split(' '); const k = t===pid?e.main:e.other; k[0]+=Number(f[11])*10000; k[1]+=Number(f[12])*10000; } } catch {}
  }
  return out;
};
try {
  for (const c of (process.argv[2] ?? '1,16,64,16').split(',')) {
    const [node, ...args] = nodeCommand('/work/main/bench/serving/load-generator.ts', ['127.0.0.1', String(s.port), c, '1500', '4000', s.key]);
    const a = ps();
    const r = JSON.parse(execFileSync(node as string, args).toString());
    const b = ps();
    const n = r.total ?? r.requestsPerSecond*5.5;
    const d = (k: string) => b[k] && a[k] ? ['main','other'].map(t => { const x=(b[k] as any)[t], y=(a[k] as any)[t]; return `${t} u${((x[0]-y[0])/n).toFixed(1)} s${((x[1]-y[1])/n).toFixed(1)}`; }).join(' ') : '';
    console.log(`c=${c} ${r.requestsPerSecond.toFixed(0)}/s p50 ${r.p50Ms.toFixed(2)} | us/request: gateway ${d('main')} | host ${d('model-host')} | shipper ${d('log-shipper')}`);
    await s.settle();
  }
} finally { await s.stop(); removeOutsideData(home); rmSync(home, {recursive:true, force:true}); }
