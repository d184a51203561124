/**
 * prometheus and promtool, with which tests scrape and check the metrics. Both are in Debian's package; it is unpacked into the
 * per-user cache and not installed, because installing it would start a service.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import { cacheFolder, findOnPath, isExecutable } from './machine.ts';
import type { Part, Progress } from './part.ts';

const cached = (): string => join(cacheFolder(), 'prometheus', 'debian', 'promtool');

/** prometheus lies beside its promtool; one without the other is none. */
const isWhole = (promtool: string | undefined): promtool is string => promtool !== undefined && isExecutable(promtool) && isExecutable(prometheusBeside(promtool));

/** The server that belongs to a promtool. */
export const prometheusBeside = (promtool: string): string => join(dirname(promtool), 'prometheus');

/** `download` needs no rights; the lists of packages, which a new machine lacks, need root's. */
const downloadPackage = async (folder: string, progress: Progress): Promise<string> => {
  const download = ['apt-get', '-o', 'APT::Sandbox::User=root', 'download', 'prometheus'];
  try {
    await runCommand(download, { cwd: folder, timeoutMs: 5 * 60_000 });
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    progress("reading Debian's list of packages");
    await runCommand(['apt-get', 'update'], { timeoutMs: 5 * 60_000 });
    await runCommand(download, { cwd: folder, timeoutMs: 5 * 60_000 });
  }
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error('apt-get download prometheus left no package');
  return join(folder, file);
};

const unpack = async (progress: Progress): Promise<string> => {
  const home = dirname(dirname(cached()));
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(join(home, '.unpack-'));
  try {
    progress("fetching Debian's package (19 MB)");
    const file = await downloadPackage(folder, progress);
    await runCommand(['dpkg-deb', '-x', file, join(folder, 'package')], { timeoutMs: 60_000 });
    rmSync(dirname(cached()), { recursive: true, force: true });
    renameSync(join(folder, 'package', 'usr', 'bin'), dirname(cached()));
    return cached();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const prerequisite = async (): Promise<string | undefined> => {
  const isDebian = findOnPath('apt-get') !== undefined && findOnPath('dpkg-deb') !== undefined;
  return isDebian ? undefined : 'install Prometheus and put prometheus and promtool, in one folder, on PATH (prometheus.io/download; Debian and Ubuntu: the package prometheus): the metrics are checked with them';
};

export const prometheus: Part = {
  name: 'Prometheus for tests',
  find: () => [findOnPath('promtool'), cached()].find(isWhole),
  verify: (path) => runCommand([path, '--version'], { timeoutMs: 20_000 }),
  prerequisite,
  build: (progress) =>
    withLock({ path: join(dirname(dirname(cached())), 'lock'), onWait: () => progress('waiting for another set-up') }, async () => (isWhole(cached()) ? cached() : unpack(progress))),
};
