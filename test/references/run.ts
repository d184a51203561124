/**
 * `npm run test:references [-- group …]`: computes what the named libraries of Python say of the same data, and writes it to fixtures/<group>/ with
 * the versions that said it. `npm test` checks our results against these files and needs no Python.
 *
 * A group is what can be installed together: requirements/<group>.txt (hash-pinned) and <group>_references.py, which is called with two folders, one of
 * inputs (input-files.ts; Parquet) and one for its fixtures. Its environment lies in the per-user cache, under the hash of its requirements.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runCommand } from '../../deploy/local/tools/command.ts';
import { pythonPart } from '../../deploy/local/tools/python.ts';
import { writeInputs } from './input-files.ts';

const here = import.meta.dirname;

const groups = readdirSync(join(here, 'requirements'))
  .filter((file) => file.endsWith('.txt'))
  .map((file) => basename(file, '.txt'));

const interpreterOf = async (group: string): Promise<string> => {
  const part = pythonPart({ requirements: join(here, 'requirements', `${group}.txt`) });
  const missing = part.find() === undefined ? await part.prerequisite() : undefined;
  if (missing !== undefined) throw new Error(missing);
  return part.find() ?? (await part.build((what) => console.log(`  ${group}: ${what}`)));
};

const runGroup = async (group: string, inputs: string): Promise<void> => {
  const python = await interpreterOf(group);
  const output = join(here, 'fixtures', group);
  mkdirSync(output, { recursive: true });
  const started = Date.now();
  console.log(await runCommand([python, join(here, `${group}_references.py`), inputs, output], { environment: { PYTHONNOUSERSITE: '1', PYTHONHASHSEED: '0' } }));
  console.log(`✓ ${group}: ${readdirSync(output).length} fixtures (${((Date.now() - started) / 1_000).toFixed(1)} s)`);
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : groups;
const unknown = wanted.filter((group) => !groups.includes(group));
if (unknown.length > 0) throw new Error(`there is no group ${unknown.join(', ')}: the groups are ${groups.join(', ')}`);

const inputs = mkdtempSync(join(tmpdir(), 'perennial-references-'));
try {
  await writeInputs(inputs);
  for (const group of wanted) await runGroup(group, inputs);
} finally {
  rmSync(inputs, { recursive: true, force: true });
}
