/**
 * What set-up reads of the machine: where the user's tools and caches are. Kept apart from workers/config.ts, which
 * is the configuration of Perennial's own processes; nothing else in deploy/ reads the environment.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of this clone, absolute. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** True when this user can run the file at `path`. */
export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** First executable called `name` on PATH, absolute, or undefined. */
export const findOnPath = (name: string): string | undefined => {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => resolve(folder, name)).find(isExecutable);
};

/** Per-user cache folder that all clones share: tools stay there when a clone is deleted. */
export const cacheFolder = (): string => {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return join(base.startsWith('/') ? base : join(homedir(), '.cache'), 'perennial');
};

/** The Temporal CLI that the user names by TEMPORAL_CLI_PATH, if any. */
export const chosenTemporalCli = (): string | undefined => process.env['TEMPORAL_CLI_PATH'] || undefined;

/** The environment for a child process: this process's own with `extra` over it. */
export const childEnvironment = (extra: Record<string, string>): Record<string, string | undefined> => ({
  ...process.env,
  ...extra,
});
