/**
 * The Python environment of the built-in trainers, from hash-pinned requirements.
 *
 * It lies in the per-user cache under the hash of the requirements, so all clones that need the same packages share
 * one; a stamp written last says that it is complete.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import { cacheFolder, findOnPath, isExecutable, repositoryRoot } from './machine.ts';
import type { Part, Progress } from './part.ts';

const supported = ['3.13', '3.12', '3.11'];

const install = 'install Python 3.11, 3.12 or 3.13 (or uv, which brings its own): the trainers run on it';

type Interpreter = { path: string; version: string };

/** Without a path it is a version that uv is to bring. */
type Base = { path?: string; version: string };

const requirementsFile = join(repositoryRoot, 'trainers', 'requirements.txt');

/** Another environment than that of the trainers: what it is called in messages, and its requirements. */
export type PythonOptions = { name?: string; requirements?: string };

const describe = async (path: string): Promise<Interpreter | undefined> => {
  // A version manager has commands for versions that are not there: they fail, and so does this.
  const version = await runCommand([path, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { timeoutMs: 30_000 }).catch(() => '');
  return supported.includes(version) ? { path, version } : undefined;
};

/** The first Python on PATH that the trainers support. */
const basePython = async (): Promise<Interpreter | undefined> => {
  for (const name of ['python3', ...supported.map((version) => `python${version}`), 'python']) {
    const path = findOnPath(name);
    const found = path === undefined ? undefined : await describe(path);
    if (found !== undefined) return found;
  }
  return undefined;
};

const environmentFolder = (requirements: string): string => {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'python', `${hash}-${process.platform}-${process.arch}`);
};

/** One environment per Python version below the folder of the requirements: `3.11/bin/python`. */
const findEnvironment = (requirements: string): string | undefined => {
  if (!existsSync(requirements)) return undefined;
  const folder = environmentFolder(requirements);
  const versions = existsSync(folder) ? readdirSync(folder).filter((name) => supported.includes(name)) : [];
  return versions
    .filter((version) => existsSync(join(folder, version, 'complete')))
    .map((version) => join(folder, version, 'bin', 'python'))
    .find(isExecutable);
};

const prerequisite = async (requirements: string): Promise<string | undefined> => {
  if (!existsSync(requirements)) return `${requirements} is missing: the clone is not complete`;
  if (findOnPath('uv') !== undefined || (await basePython()) !== undefined) return undefined;
  return install;
};

const createWithUv = async (folder: string, requirements: string, python: string): Promise<void> => {
  await runCommand(['uv', 'venv', '--quiet', '--python', python, folder]);
  const target = ['--python', join(folder, 'bin', 'python')];
  await runCommand(['uv', 'pip', 'install', '--quiet', '--require-hashes', ...target, '-r', requirements]);
};

const createWithVenv = async (folder: string, requirements: string, python: string): Promise<void> => {
  await runCommand([python, '-m', 'venv', folder]).catch((error: Error) => {
    throw new Error(`${error.message}\nOn Debian and Ubuntu install the package python3-venv.`);
  });
  const pip = [join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  await runCommand([...pip, '--require-hashes', '-r', requirements]);
};

/** uv where it is (quick, and able to bring a Python), else or when it fails (it does not read pip's settings) venv and pip. */
const createEnvironment = async (target: { folder: string; requirements: string }, base: Base, progress: Progress): Promise<void> => {
  const { folder, requirements } = target;
  const start = (tool: string): void => {
    progress(`installing its packages with ${tool} for Python ${base.version}`);
    // Built in place, because an environment holds its own path; half of one has no stamp and goes away here.
    rmSync(folder, { recursive: true, force: true });
  };
  if (findOnPath('uv') !== undefined) {
    start('uv');
    try {
      return await createWithUv(folder, requirements, base.path ?? base.version);
    } catch (error) {
      if (base.path === undefined) throw error;
      progress(`uv failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (base.path === undefined) throw new Error(install);
  start('pip');
  await createWithVenv(folder, requirements, base.path);
};

const build = async (requirements: string, progress: Progress): Promise<string> => {
  const base: Base = (await basePython()) ?? { version: '3.12' };
  const parent = environmentFolder(requirements);
  mkdirSync(parent, { recursive: true });
  const folder = join(parent, base.version);
  const python = join(folder, 'bin', 'python');
  return withLock({ path: `${folder}.lock`, onWait: () => progress('waiting for another set-up') }, async () => {
    if (findEnvironment(requirements) === python) return python;
    await createEnvironment({ folder, requirements }, base, progress);
    writeFileSync(join(folder, 'complete'), '');
    return python;
  });
};

/** The part for given requirements; without, for trainers/requirements.txt of this clone. */
export const pythonPart = ({ name = 'Python environment of the trainers', requirements = requirementsFile }: PythonOptions = {}): Part => ({
  name,
  find: () => findEnvironment(requirements),
  verify: (path) => runCommand([path, '-c', 'import sys; print(sys.version)'], { timeoutMs: 30_000, environment: { PYTHONNOUSERSITE: '1' } }),
  prerequisite: () => prerequisite(requirements),
  build: (progress) => build(requirements, progress),
});

export const python: Part = pythonPart();
