/**
 * The console's files, built from console/ when they are missing or of other sources. The key of the sources is in the folder itself,
 * and the folder appears by a rename, so that nobody serves half a build.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.ts';
import { repositoryRoot } from './machine.ts';
import type { Part } from './part.ts';

const source = join(repositoryRoot, 'console');
const target = join(repositoryRoot, 'build', 'console');
const keyFile = join(target, '.sources');

/** Not built: types alone. */
const GENERATED = join('src', 'api', 'schema.ts');

const sourceFiles = (): string[] =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .filter((file) => file !== GENERATED)
    .sort();

/** The packages of the console are those of the lockfile. */
const sourceKey = (): string => {
  const hash = createHash('sha256').update(readFileSync(join(repositoryRoot, 'package-lock.json')));
  for (const file of sourceFiles()) hash.update(`\0${file}\0`).update(readFileSync(join(source, file)));
  return hash.digest('hex');
};

const isCurrent = (key: string): boolean => existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key;

const buildInto = async (folder: string): Promise<void> => {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: source,
    base: '/console/',
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900, assetsInlineLimit: 0 },
  });
};

const replaceTarget = (folder: string): void => {
  const aside = `${target}.old-${process.pid}`;
  if (existsSync(target)) renameSync(target, aside);
  renameSync(folder, target);
  rmSync(aside, { recursive: true, force: true });
};

const buildNow = async (key: string): Promise<void> => {
  if (isCurrent(key)) return;
  const folder = `${target}.new-${process.pid}`;
  await buildInto(folder);
  writeFileSync(join(folder, '.sources'), key);
  replaceTarget(folder);
};

/**
 * The folder of the console as its present sources make it.
 * @throws Error of Vite when they do not build
 */
export const ensureConsole = async (): Promise<string> => {
  // An image without the sources has what it was built with.
  if (!existsSync(source)) return target;
  const key = sourceKey();
  if (isCurrent(key)) return target;
  mkdirSync(join(repositoryRoot, 'build'), { recursive: true });
  await withLock({ path: `${target}.lock` }, () => buildNow(key));
  return target;
};

/** The console as a part of set-up. */
export const consoleFiles: Part = {
  name: 'console',
  find: () => (existsSync(source) && !isCurrent(sourceKey()) ? undefined : keyFile),
  verify: async (path) => path,
  prerequisite: async () => undefined,
  build: async (progress) => {
    progress('building');
    return join(await ensureConsole(), '.sources');
  },
};

// `npm run console:build`, and the build of a container image.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await ensureConsole());
