/**
 * `npm run bench:drift [-- --rows 1000000 --times 20]`: drift of two tables of 20 columns by Evidently's default tests, by Evidently and by us, from Parquet
 * files to scores; then our drift of so many times the rows. Scores are compared too. Ends with one line of JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeCommand } from '../../deploy/local/programs.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { pythonPart } from '../../deploy/local/tools/python.ts';
import { columns, multiplyRows, writeRows } from './data.ts';
import { measure, type Measured } from './measure.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' }, times: { type: 'string', default: '20' } } });
const rows = Number(values.rows);
const times = Number(values.times);

const OURS = fileURLToPath(new URL('./ours.ts', import.meta.url));
const PEER = join(import.meta.dirname, 'peers', 'evidently_drift.py');
/** The environment in which test:references runs the same library. */
const requirements = join(repositoryRoot, 'test', 'references', 'requirements', 'evidently.txt');

type Result = { seconds: number; cpuSeconds: number; scores: Record<string, number>; version?: string };
type Row = { what: string; rows: number; measured: Measured<Result> };

const peerPython = async (): Promise<string> => {
  const part = pythonPart({ requirements });
  return part.find() ?? (await part.build((line) => console.log(line)));
};

const ours = (reference: string[], current: string[]): Promise<Measured<Result>> => measure(nodeCommand(OURS, [reference, current, columns].map((argument) => JSON.stringify(argument))));

/** @throws Error when a score is not the peer's: what is computed otherwise is not faster */
const requireSameScores = (left: Result, right: Result): number => {
  const differences = columns.map(({ name }) => Math.abs((left.scores[name] ?? NaN) - (right.scores[name] ?? NaN)));
  const worst = Math.max(...differences);
  if (!(worst <= 0.005)) throw new Error(`the scores differ by up to ${worst}`);
  return worst;
};

const print = (table: Row[]): void => {
  console.log('\nprogram      rows per side   seconds   CPU seconds   wall with start   peak MB');
  for (const { what, rows: size, measured } of table) {
    const cells = [what.padEnd(10), String(size).padStart(14), measured.result.seconds.toFixed(2).padStart(9), measured.result.cpuSeconds.toFixed(2).padStart(11), measured.wallSeconds.toFixed(2).padStart(15), measured.peakMegabytes.toFixed(0).padStart(11)];
    console.log(cells.join('  '));
  }
};

const round = (value: number): number => Math.round(value * 100) / 100;

const versionsOf = (peer: Result): Record<string, string> => {
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  return { node: process.versions.node, duckdb: dependencies['@duckdb/node-api'] ?? 'unknown', evidently: peer.version ?? 'unknown', cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}` };
};

const bench = async (home: string): Promise<void> => {
  const python = await peerPython();
  const [reference, current] = [join(home, 'reference.parquet'), join(home, 'current.parquet')];
  console.log(`writing 2 x ${rows} rows of ${columns.length} columns`);
  await writeRows(reference, { side: 'reference', rows, seed: 1 });
  await writeRows(current, { side: 'current', rows, seed: 2 });
  const mine = await ours([reference], [current]);
  console.log(`perennial: ${mine.result.seconds.toFixed(1)} s`);
  const peer = await measure<Result>([python, PEER, reference, current, JSON.stringify(columns)]);
  console.log(`evidently: ${peer.result.seconds.toFixed(1)} s; the scores differ by at most ${requireSameScores(mine.result, peer.result).toExponential(1)}`);
  const parts = (side: string): string[] => Array.from({ length: times }, (_part, index) => join(home, `${side}-${index}.parquet`));
  console.log(`writing ${times} times the rows`);
  await multiplyRows(reference, parts('reference'));
  await multiplyRows(current, parts('current'));
  const large = await ours(parts('reference'), parts('current'));
  print([
    { what: 'evidently', rows, measured: peer },
    { what: 'perennial', rows, measured: mine },
    { what: 'perennial', rows: rows * times, measured: large },
  ]);
  const ratios = {
    time_vs_evidently: round(peer.result.seconds / mine.result.seconds),
    // The peer's memory by ours: at least 5 is at most a fifth.
    memory_vs_evidently: round(peer.peakMegabytes / mine.peakMegabytes),
    // Our memory at these rows by that at many times the rows.
    memory_flatness: round(mine.peakMegabytes / large.peakMegabytes),
  };
  console.log(JSON.stringify({ bench: 'drift', ratios, versions: versionsOf(peer.result) }));
};

const home = mkdtempSync(join(tmpdir(), 'perennial-bench-drift-'));
try {
  await bench(home);
} finally {
  rmSync(home, { recursive: true, force: true });
}
