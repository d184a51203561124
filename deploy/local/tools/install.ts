/** Brings a list of parts onto the machine: find, download, ask for prerequisites, build; see part.ts for the order. */
import { rmSync } from 'node:fs';
import { cacheFolder } from './machine.ts';
import type { Part } from './part.ts';

export type InstallOptions = {
  parts: readonly Part[];
  log: (line: string) => void;
  /** How often a long build says that it still runs; default 20 s. */
  heartbeatMs?: number;
};

type Open = { part: Part; started: number };

const secondsSince = (started: number): string => `${((Date.now() - started) / 1000).toFixed(1)} s`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Finds and tries a part that may be there. One of our own cache that no longer works (the Python below it was
 * removed) is made anew; a tool of the user's that does not work is an error to tell.
 */
const takeExisting = async (part: Part, log: InstallOptions['log']): Promise<boolean> => {
  const started = Date.now();
  const path = part.find();
  if (path === undefined) return false;
  try {
    await part.verify(path);
  } catch (error) {
    if (!path.startsWith(cacheFolder())) throw error;
    log(`  ${part.name}: ${path} no longer works, it is made anew`);
    rmSync(path, { force: true });
    return false;
  }
  log(`✓ ${part.name}: already there (${secondsSince(started)})`);
  return true;
};

const progressOf =
  ({ part, started }: Open, log: InstallOptions['log']) =>
  (what: string): void =>
    log(`  ${part.name}: ${what} (${secondsSince(started)})`);

const withHeartbeat = async <T>(open: Open, options: InstallOptions, work: () => Promise<T>): Promise<T> => {
  const beat = setInterval(() => progressOf(open, options.log)('still working'), options.heartbeatMs ?? 20_000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
};

const finish = async (open: Open, path: string, log: InstallOptions['log']): Promise<void> => {
  await open.part.verify(path);
  log(`✓ ${open.part.name}: installed (${secondsSince(open.started)})`);
};

const tryDownload = async (open: Open, options: InstallOptions): Promise<boolean> => {
  const path = await open.part.download?.(progressOf(open, options.log));
  if (path === undefined) return false;
  await finish(open, path, options.log);
  return true;
};

/** Runs `step` for all parts at once and fails with every problem found, not with the first one. */
const forAll = async <T>(items: readonly T[], step: (item: T) => Promise<boolean>, nameOf: (item: T) => string): Promise<T[]> => {
  const results = await Promise.allSettled(items.map(step));
  const problems = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${nameOf(items[index] as T)}: ${messageOf(result.reason)}`] : [],
  );
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return items.filter((_, index) => (results[index] as PromiseFulfilledResult<boolean>).value === false);
};

/**
 * Makes every part present and working; parts that are there cost a fraction of a second.
 * @throws Error with one line for each thing that is missing or failed
 */
export const installParts = async (options: InstallOptions): Promise<void> => {
  const { parts, log } = options;
  const absent = await forAll(parts, (part) => takeExisting(part, log), (part) => part.name);
  const open = absent.map((part) => ({ part, started: Date.now() }));
  const nameOf = ({ part }: Open): string => part.name;
  const left = await forAll(open, (one) => withHeartbeat(one, options, () => tryDownload(one, options)), nameOf);
  await forAll(
    left,
    async ({ part }) => {
      const missing = await part.prerequisite();
      if (missing !== undefined) throw new Error(missing);
      return true;
    },
    nameOf,
  );
  await forAll(
    left,
    async (one) => {
      const path = await withHeartbeat(one, options, () => one.part.build(progressOf(one, log)));
      await finish(one, path, log);
      return true;
    },
    nameOf,
  );
};
