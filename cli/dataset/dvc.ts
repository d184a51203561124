/**
 * A dataset version as DVC 3 keeps one: in the remote each file under its md5, and the folder as a JSON list under the md5 of that list; in the repository
 * a `.dvc` file that names the folder. DVC's own writer is dvc_data.hashfile.tree: the bytes of the list must be those that it would write.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Session } from '../session.ts';
import { downloadTree, type Tree } from './tree-download.ts';

const objectPath = (md5: string): string => join('files', 'md5', md5.slice(0, 2), md5.slice(2));

/** JSON text as Python's `json.dumps` writes it: ASCII alone. */
const asciiJson = (text: string): string => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Code points in order, as Python compares: JavaScript would compare the halves of surrogate pairs. */
const byPath = (left: { path: string }, right: { path: string }): number => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path));

/** The list of a folder: the keys in order, `, ` and `: ` between. */
export const dvcFolder = (files: readonly { path: string; md5: string }[]): { md5: string; text: string } => {
  const text = `[${[...files].sort(byPath).map(({ path, md5 }) => `{"md5": "${md5}", "relpath": ${asciiJson(path)}}`).join(', ')}]`;
  return { md5: createHash('md5').update(text).digest('hex'), text };
};

/** The `.dvc` file: what `dvc add <path>` would have written. */
export const dvcFile = (tree: Tree, { md5, path }: { md5: string; path: string }): string =>
  stringify({ outs: [{ md5: `${md5}.dir`, size: tree.files.reduce((sum, { bytes }) => sum + bytes, 0), nfiles: tree.files.length, hash: 'md5', path }] }, { indentSeq: false });

const writeWhole = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(part, text);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
};

/** Writes the version to a DVC remote (a folder) and its `.dvc` file; the file comes last, so that what it names is there. */
export const exportToDvc = async (session: Session, tree: Tree, { remote, file, path }: { remote: string; file: string; path: string }): Promise<{ fetched: number; kept: number; md5: string }> => {
  const done = await downloadTree(session, tree, { folder: remote, placeOf: ({ md5 }) => objectPath(md5) });
  const { md5, text } = dvcFolder(tree.files);
  await writeWhole(join(remote, `${objectPath(md5)}.dir`), text);
  await writeWhole(file, dvcFile(tree, { md5, path }));
  return { ...done, md5: `${md5}.dir` };
};
