/** The built console as it lies in memory: few files, each with a hash in its name, so that browsers may keep them for good. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

export type ConsoleFile = { bytes: Buffer; zipped: Buffer; type: string };
export type ConsoleFiles = { page: ConsoleFile | undefined; find(path: string): ConsoleFile | undefined };

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const pathsIn = (folder: string): string[] => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Reads the folder once; a folder that is not there is a console that was not built. */
export const readConsoleFiles = (folder: string): ConsoleFiles => {
  const files = new Map<string, { bytes: Buffer; type: string }>();
  const zipped = new Map<string, Buffer>();
  for (const path of pathsIn(folder)) {
    const type = TYPES[extname(path)];
    if (type !== undefined) files.set(relative(folder, path).split(sep).join('/'), { bytes: readFileSync(path), type });
  }
  const find = (path: string): ConsoleFile | undefined => {
    const file = files.get(path);
    if (file === undefined) return undefined;
    const known = zipped.get(path) ?? gzipSync(file.bytes, { level: 9 });
    zipped.set(path, known);
    return { ...file, zipped: known };
  };
  return { page: find('index.html'), find };
};
