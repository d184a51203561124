/** Brings the files of a dataset version to this machine, each verified, several at a time. What is there already is not fetched again. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { CliFailure, EXIT } from '../exit-codes.ts';
import { segment, type Session } from '../session.ts';

export type TreeFile = { path: string; table: string; sha256: string; md5: string; bytes: number; rows: number };
export type Tree = { dataset: string; version: string; files: TreeFile[] };

const AT_ONCE = 4;

const hashOf = async (path: string): Promise<string | undefined> => {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
};

const broken = (file: TreeFile, what: string): CliFailure =>
  new CliFailure(EXIT.unreachable, { code: 'DownloadBroken', message: `${file.path} did not come whole (${what})`, fix: 'Run the command again: what came is kept.' });

/** A path of the server's that stays below the folder. */
const below = (folder: string, path: string): string => {
  const target = resolve(folder, path);
  if (target.startsWith(`${resolve(folder)}${sep}`)) return target;
  throw new CliFailure(EXIT.failed, { code: 'UnsafePath', message: `the server names the file "${path}", which lies outside the folder`, fix: 'Is this the address of the API?' });
};

/** The file appears under its name when its hash was verified. */
const fetchFile = async ({ api }: Session, tree: Tree, { file, target }: { file: TreeFile; target: string }): Promise<void> => {
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.${randomUUID()}.part`;
  const hash = createHash('sha256');
  const handle = await open(part, 'wx');
  try {
    const bytes = await api.stream(`/api/v1/datasets/${segment(tree.dataset)}/${tree.version}/files/${file.sha256}`);
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
    } catch (error) {
      throw broken(file, error instanceof Error ? error.message : String(error));
    }
    if (hash.digest('hex') !== file.sha256) throw broken(file, 'its hash is another one');
    await handle.close();
    await rename(part, target);
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
};

export const readTree = ({ api }: Session, { name, version }: { name: string; version: string }): Promise<Tree> => api.get<Tree>(`/api/v1/datasets/${segment(name)}/${segment(version)}/files`);

/** Puts every file at `placeOf(file)` below the folder. @returns how many were fetched, the others were there */
export const downloadTree = async (session: Session, tree: Tree, { folder, placeOf }: { folder: string; placeOf: (file: TreeFile) => string }): Promise<{ fetched: number; kept: number }> => {
  const places = new Map(tree.files.map((file) => [below(folder, placeOf(file)), file]));
  const waiting = [...places];
  const done = { fetched: 0, kept: 0 };
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [target, file] = next;
      if ((await hashOf(target)) === file.sha256) {
        done.kept += 1;
        continue;
      }
      await fetchFile(session, tree, { file, target });
      done.fetched += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
};
