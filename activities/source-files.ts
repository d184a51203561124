/** Finds the files of a source: globs inside the allowed folders, in one order everywhere, never out of the folders by `..` or a link. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { SourceSpec } from '../contracts/pipeline.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { hasWildcard, matchesWildcard } from '../domain/wildcard.ts';

const MAXIMUM_FILES = 100_000;
const MAXIMUM_DEPTH = 64;

/** `path` is relative to its root with `/`, and so the same on every worker; `location` is where the bytes are, links resolved. */
export type SourceFile = { path: string; location: string; bytes: number; modifiedMs: number };

type Table = SourceSpec['tables'][string];

const isInside = (folder: string, path: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const notAllowed = (pattern: string, why: string): PerennialFailure => new PerennialFailure('SourceNotAllowed', `the source "${pattern}" ${why}`);

const entriesOf = async (folder: string): Promise<Dirent[]> => {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return [];
    throw error;
  }
};

/** All paths below `folder` that match the segments; `**` does not follow links, so it ends. */
const expand = async (folder: string, segments: string[], depth = 0): Promise<string[]> => {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [folder];
  if (depth > MAXIMUM_DEPTH) return [];
  if (segment === '**') {
    const folders = (await entriesOf(folder)).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    const deeper = await Promise.all(folders.map((entry) => expand(join(folder, entry.name), segments, depth + 1)));
    return [...(await expand(folder, rest.length === 0 ? ['*'] : rest, depth + 1)), ...deeper.flat()];
  }
  if (!hasWildcard(segment)) return expand(join(folder, segment), rest, depth + 1);
  const matching = (await entriesOf(folder)).filter((entry) => matchesWildcard(segment, entry.name));
  return (await Promise.all(matching.map((entry) => expand(join(folder, entry.name), rest, depth + 1)))).flat();
};

/** A regular file inside its root; undefined for what is no file. */
const describe = async (root: string, path: string): Promise<SourceFile | undefined> => {
  const location = await realpath(path).catch(() => undefined);
  if (location === undefined) return undefined;
  const shown = relative(root, path).split(sep).join('/');
  if (!isInside(root, location)) throw notAllowed(shown, 'is a link out of the allowed folders');
  const status = await stat(location);
  return status.isFile() ? { path: shown, location, bytes: status.size, modifiedMs: status.mtimeMs } : undefined;
};

const matchesIn = async (root: string, pattern: string): Promise<SourceFile[]> => {
  const target = resolve(root, pattern);
  if (!isInside(root, target)) return [];
  const paths = await expand(root, relative(root, target).split(sep).filter(Boolean));
  if (paths.length > MAXIMUM_FILES) throw notAllowed(pattern, `matches more than ${MAXIMUM_FILES} files`);
  const files = await Promise.all(paths.map((path) => describe(root, path)));
  return files.filter((file) => file !== undefined);
};

/** A root as it is configured (absolute paths may be written so) and as it really is. */
type Root = { given: string; real: string };

/** An absolute path below the root as it is configured is meant to be below the root as it really is. */
const withinRoot = ({ given, real }: Root, pattern: string): string =>
  isAbsolute(pattern) && isInside(given, resolve(pattern)) ? join(real, relative(given, resolve(pattern))) : pattern;

const refuseForeign = (pattern: string, roots: Root[]): void => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(pattern)) throw notAllowed(pattern, 'is an address: only files on the data workers can be ingested');
  if (pattern.includes('\0')) throw notAllowed(pattern.replaceAll('\0', '\\0'), 'holds a NUL character');
  if (!roots.some((root) => isInside(root.real, resolve(root.real, withinRoot(root, pattern))))) throw notAllowed(pattern, 'lies outside the allowed folders');
};

/** Files of the first root that has any. */
const filesOf = async (roots: Root[], pattern: string): Promise<SourceFile[]> => {
  refuseForeign(pattern, roots);
  for (const root of roots) {
    const files = await matchesIn(root.real, withinRoot(root, pattern));
    if (files.length > 0) return files;
  }
  const hint = isAbsolute(pattern) ? '' : `; relative paths begin at ${roots.map(({ given }) => given).join(' or ')}`;
  throw new PerennialFailure('SourceNotFound', `no file matches the source "${pattern}"${hint}`);
};

const byPath = (left: SourceFile, right: SourceFile): number => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0);

/** A root that does not exist holds nothing. */
const existingRoots = async (folders: string[]): Promise<Root[]> => {
  const roots = await Promise.all(folders.map(async (given) => ({ given, real: await realpath(given).catch(() => undefined) })));
  return roots.filter((root): root is Root => root.real !== undefined);
};

/** Files of a table, sorted by path, each once. */
const filesOfTable = async (roots: Root[], table: Table): Promise<SourceFile[]> => {
  const patterns = typeof table.files === 'string' ? [table.files] : table.files;
  const found = new Map<string, SourceFile>();
  for (const pattern of patterns) for (const file of await filesOf(roots, pattern)) found.set(file.path, file);
  return [...found.values()].sort(byPath);
};

const maskOf = ({ masked = [] }: Table): { masked?: string[] } => (masked.length === 0 ? {} : { masked: [...new Set(masked)].sort() });

/**
 * Files of every table, tables sorted by name.
 * @throws PerennialFailure SourceNotAllowed or SourceNotFound with the path or glob
 */
export const findSourceFiles = async (source: SourceSpec, sourceRoots: string[]): Promise<{ name: string; format: Table['format']; masked?: string[]; files: SourceFile[] }[]> => {
  const roots = await existingRoots(sourceRoots);
  const tables = Object.entries(source.tables).sort(([left], [right]) => (left < right ? -1 : 1));
  if (tables.length === 0) throw new PerennialFailure('SourceNotFound', 'the source has no tables');
  return Promise.all(tables.map(async ([name, table]) => ({ name, format: table.format, ...maskOf(table), files: await filesOfTable(roots, table) })));
};
