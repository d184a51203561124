/**
 * The Temporal CLI, whose `server start-dev` is the local Temporal server.
 *
 * Looked for in TEMPORAL_CLI_PATH, PATH and the per-user cache; else the official download at a pinned version, and
 * where that cannot be reached a build from source at the same version.
 */
import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { goInstall, goPrerequisite } from './go-install.ts';
import { withLock } from './lock.ts';
import { cacheFolder, chosenTemporalCli, findOnPath, isExecutable } from './machine.ts';
import { officialDownload } from './official-download.ts';
import type { Part, Progress } from './part.ts';

/** Newer tags have a `replace` in their go.mod, which `go install` refuses. */
const version = 'v1.5.1';

const cachedCli = (): string => join(cacheFolder(), 'temporal-cli', version, 'temporal');

const find = (): string | undefined => {
  const chosen = chosenTemporalCli();
  if (chosen !== undefined) {
    if (!isExecutable(chosen)) throw new Error(`TEMPORAL_CLI_PATH is "${chosen}": that is not an executable file`);
    return chosen;
  }
  return findOnPath('temporal') ?? (isExecutable(cachedCli()) ? cachedCli() : undefined);
};

const verify = async (path: string): Promise<string> => {
  const text = await runCommand([path, '--version'], { timeoutMs: 20_000 });
  if (!/Server \d/.test(text)) throw new Error(`${path} is not a Temporal CLI with a server in it: it says "${text}"`);
  return text;
};

const locked = (progress: Progress, work: () => Promise<string | undefined>): Promise<string | undefined> => {
  const path = join(dirname(cachedCli()), 'lock');
  const onWait = (holder: { pid: number }) => progress(`waiting for another set-up (process ${holder.pid})`);
  // Whoever waited finds the tool there.
  return withLock({ path, onWait }, async () => (isExecutable(cachedCli()) ? cachedCli() : work()));
};

const download = (progress: Progress): Promise<string | undefined> =>
  locked(progress, async () => {
    const file = await officialDownload({ type: 'dev-server', version, folder: join(dirname(cachedCli()), 'download'), progress });
    if (file !== undefined) renameSync(file, cachedCli());
    return file === undefined ? undefined : cachedCli();
  });

const build = async (progress: Progress): Promise<string> => {
  const path = await locked(progress, async () => {
    progress('building from source with Go (3 to 6 minutes on 2 cores, once per user)');
    return goInstall(`github.com/temporalio/cli/cmd/temporal@${version}`, cachedCli());
  });
  return path ?? cachedCli();
};

export const temporalCli: Part = {
  name: 'Temporal CLI',
  find,
  verify,
  download,
  prerequisite: () => goPrerequisite('the official Temporal download cannot be reached, so its source must be built (or set TEMPORAL_CLI_PATH)'),
  build,
};
