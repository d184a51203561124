/** The files of a dataset version as a folder: one folder per table, and in it the files below the folder that they have in common. */
import type { DatasetManifest } from '../contracts/dataset.ts';

export type TreeFile = { path: string; table: string; sha256: string; md5: string; bytes: number; rows: number };

/** Number of leading folders that all paths share. */
const commonFolders = (paths: string[][]): number => {
  const [first = [], ...rest] = paths;
  let common = 0;
  while (common < first.length - 1 && rest.every((path) => common < path.length - 1 && path[common] === first[common])) common += 1;
  return common;
};

/** Sorted by path. Paths have no `..`: those of the source are below its root. */
export const treeOf = ({ tables }: DatasetManifest): TreeFile[] =>
  tables
    .flatMap(({ name, files }) => {
      const paths = files.map(({ path }) => path.split('/'));
      const common = commonFolders(paths);
      return files.map(({ artifact, md5, rows }, index) => ({ path: [name, ...(paths[index] ?? []).slice(common)].join('/'), table: name, sha256: artifact.sha256, md5, bytes: artifact.bytes, rows }));
    })
    .sort((left, right) => (left.path < right.path ? -1 : 1));
