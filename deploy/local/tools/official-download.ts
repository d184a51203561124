/**
 * The official downloads of Temporal's servers, done by the TypeScript SDK, which knows where they are and for which
 * platforms. The SDK offers a download only together with a start, and cannot be stopped in the middle: so this runs
 * as a process of its own, is ended when nothing has arrived for some seconds, and the file it left is what we want.
 *
 *     node --import tsx deploy/local/tools/official-download.ts <dev-server|time-skipping> <version> <folder>
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isExecutable } from './machine.ts';
import type { Progress } from './part.ts';

type ServerType = 'dev-server' | 'time-skipping';

export type OfficialDownload = { type: ServerType; version: string; folder: string; progress: Progress };

const silenceMs = 8_000;

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);

/** Resolves when the child ended, or ends it once its folder has not grown for `silenceMs`. */
const waitWhileGrowing = async (child: ChildProcess, folder: string): Promise<void> => {
  let bytes = 0;
  let grewAt = Date.now();
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  while (!ended()) {
    await delay(100);
    const now = bytesIn(folder);
    if (now !== bytes) [bytes, grewAt] = [now, Date.now()];
    if (Date.now() - grewAt > silenceMs) child.kill('SIGKILL');
  }
};

/**
 * Downloads one server into `folder`.
 * @returns path of the executable, or undefined when the official download cannot be reached
 */
export const officialDownload = async ({ type, version, folder, progress }: OfficialDownload): Promise<string | undefined> => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  progress('trying the official download');
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), type, version, folder], { stdio: 'ignore' });
  await waitWhileGrowing(child, folder);
  const file = readdirSync(folder).map((name) => join(folder, name)).find(isExecutable);
  // A download that was cut off has not ended well: its file must not be taken for the tool.
  if (child.exitCode === 0 && file !== undefined) return file;
  rmSync(folder, { recursive: true, force: true });
  return undefined;
};

const main = async ([type, version = 'default', downloadDir]: string[]): Promise<void> => {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download' as const, version, downloadDir, ttl: '365 days' as const };
  const environment =
    type === 'dev-server'
      ? await TestWorkflowEnvironment.createLocal({ server: { executable } })
      : await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.teardown();
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
