/** Finds the files of a source: paths and globs, inside the allowed folders only. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { PerennialFailure } from '../domain/failure.ts';

const GLOB = /[*?]/;
const MAXIMUM_FILES = 100_000;

/** One path segment of a glob as a pattern: `*` and `?` stay within the segment; a leading dot must be written. */
const segmentPattern = (segment: string): RegExp =>
  new RegExp(`^${segment.startsWith('.') ? '' : '(?!\\.)'}${segment.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);

const entriesOf = async (folder: string): Promise<string[]> => (await readdir(folder).catch(() => [])).sort();

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() === true;

/** Paths that match the segments below a folder, in sorted order; `**` stands for any number of folders. */
const matchBelow = async (folder: string, segments: string[]): Promise<string[]> => {
  const [first, ...rest] = segments;
  if (first === undefined) return [folder];
  if (first === '**') {
    const here = await matchBelow(folder, rest);
    const folders = (await Promise.all((await entriesOf(folder)).map(async (name) => ((await isFolder(join(folder, name))) ? [join(folder, name)] : [])))).flat();
    return [...here, ...(await Promise.all(folders.map((below) => matchBelow(below, segments)))).flat()];
  }
  if (!GLOB.test(first)) return matchBelow(join(folder, first), rest);
  const pattern = segmentPattern(first);
  const names = (await entriesOf(folder)).filter((name) => pattern.test(name));
  return (await Promise.all(names.map((name) => matchBelow(join(folder, name), rest)))).flat();
};

const isInside = (path: string, roots: string[]): boolean => roots.some((root) => path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`));

/** The roots as they really are: a symbolic link in a root is the operator's choice, one below it is not. */
const realRoots = async (roots: string[]): Promise<string[]> => (await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))).filter((root) => root !== undefined);

const notAllowed = (pattern: string): PerennialFailure => new PerennialFailure('SourceNotAllowed', `"${pattern}" lies outside the folders from which this worker may read.`);

const filesOfPattern = async (pattern: string, roots: { given: string[]; real: string[] }): Promise<string[]> => {
  const path = isAbsolute(pattern) ? resolve(pattern) : resolve(roots.given[0] ?? '.', pattern);
  if (!isInside(path, roots.given) && !isInside(path, roots.real)) throw notAllowed(pattern);
  const found = await matchBelow(sep, path.split(sep).filter(Boolean));
  const files = (await Promise.all(found.map(async (file) => ((await stat(file).catch(() => undefined))?.isFile() === true ? [file] : [])))).flat();
  for (const file of files) if (!isInside(await realpath(file), roots.real)) throw notAllowed(file);
  return files;
};

/**
 * All files of the patterns, each once, sorted by path.
 * @throws PerennialFailure SourceNotAllowed for a path (or the target of a symbolic link) outside the roots, SourceNotFound when a pattern matches nothing
 */
export const findSourceFiles = async (table: string, patterns: string[], roots: string[]): Promise<string[]> => {
  const allowed = { given: roots, real: await realRoots(roots) };
  const files = new Set<string>();
  for (const pattern of patterns) {
    const matched = await filesOfPattern(pattern, allowed);
    if (matched.length === 0) throw new PerennialFailure('SourceNotFound', `source.tables.${table}: no file matches "${pattern}".`);
    for (const file of matched) files.add(file);
  }
  if (files.size > MAXIMUM_FILES) throw new PerennialFailure('SourceNotFound', `source.tables.${table}: ${files.size} files match, at most ${MAXIMUM_FILES} are read.`, { fix: 'Use a narrower glob.' });
  return [...files].sort();
};
