/**
 * The workflow bundle: built once for the present sources, then shared by every worker and test, because building it takes
 * seconds and workers should start at once.
 *
 * The key of the sources is in the bundle itself, so that key and code cannot come apart; the file appears by a rename, so
 * that nobody reads half of it. An image without the sources uses the bundle that it was built with.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = fileURLToPath(new URL('..', import.meta.url));
const codePath = join(root, 'build', 'workflow-bundle.js');
const entry = join(root, 'workflows', 'index.ts');

/** The folders that the bundle may take code from. */
const SOURCES = ['contracts', 'domain', 'workflows'];

const keyLine = (key: string): string => `// perennial workflow bundle ${key}\n`;

const sourceFiles = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => join(folder, file));

const sdkVersion = (): string => {
  const packageFile = createRequire(import.meta.url).resolve('@temporalio/workflow/package.json');
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
};

/** Names the code that a bundle is made of: the sources and the SDK. */
const sourceKey = (): string => {
  const hash = createHash('sha256').update(sdkVersion());
  for (const file of SOURCES.flatMap(sourceFiles)) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
};

const isCurrent = (key: string): boolean => existsSync(codePath) && readFileSync(codePath, 'utf8').includes(keyLine(key));

const SOURCE_MAP = '//# sourceMappingURL=';

/** Puts the key just before the source map, which must stay the last line and must not move the lines that it describes. */
const withKey = (code: string, key: string): string => {
  const at = code.lastIndexOf(SOURCE_MAP);
  return at === -1 ? `${code}\n${keyLine(key)}` : `${code.slice(0, at)}${keyLine(key)}${code.slice(at)}`;
};

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: (message: string) => console.error(message) };

const build = async (key: string): Promise<void> => {
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger: silent });
  await mkdir(join(root, 'build'), { recursive: true });
  const unfinished = `${codePath}.${process.pid}.${Date.now()}`;
  await writeFile(unfinished, withKey(code, key));
  await rename(unfinished, codePath);
};

/**
 * The bundle of the present sources, built when it is not there yet.
 * @returns what the `workflowBundle` option of a worker takes
 * @throws Error of webpack when the workflows do not build, or import what workflows must not
 */
export const ensureWorkflowBundle = async (): Promise<{ codePath: string }> => {
  if (!existsSync(entry) && existsSync(codePath)) return { codePath };
  const key = sourceKey();
  if (!isCurrent(key)) await build(key);
  return { codePath };
};

// `npm run bundle`, and the build of a container image.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log((await ensureWorkflowBundle()).codePath);
