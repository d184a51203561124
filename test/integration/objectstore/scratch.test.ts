/** Scratch folders: made, removed, and tidied after a process that died. */
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createScratch } from '../../../adapters/objectstore/scratch.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scratch-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const leave = async (name: string, hoursAgo: number): Promise<void> => {
  await mkdir(join(root, name));
  await writeFile(join(root, name, 'file'), 'x');
  const at = Date.now() / 1000 - hoursAgo * 3_600;
  await utimes(join(root, name), at, at);
};

describe('scratch folders', () => {
  it('are apart, and gone with everything in them when they are disposed of', async () => {
    const scratch = createScratch(root);
    const [one, other] = [await scratch('train'), await scratch('train')];
    expect(one.folder).not.toBe(other.folder);
    await writeFile(join(one.folder, 'file'), 'x');
    await one.dispose();
    await one.dispose();
    await expect(stat(one.folder)).rejects.toThrow();
    expect(await readdir(root)).toEqual([basename(other.folder)]);
  });

  it('never leave their root by their name', async () => {
    const { folder } = await createScratch(root)('../../etc');
    expect(folder.startsWith(`${root}/`)).toBe(true);
  });

  it('of dead processes are removed at the next start; of live ones, and what is no scratch folder, never', async () => {
    const dead = 2 ** 22 + 1;
    await leave(`train.${dead}.aaaaaa`, 2);
    await leave(`train.${dead}.bbbbbb`, 0);
    await leave(`train.${process.ppid}.cccccc`, 2);
    // As in a container, where every worker has the same number.
    await leave(`train.${process.pid}.dddddd`, 2);
    await leave('something-else', 2);
    createScratch(root);
    expect((await readdir(root)).sort()).toEqual(['something-else', `train.${process.ppid}.cccccc`].sort());
  });
});
