/** Builds a Go program at a pinned version into the per-user cache; Go's module proxy and checksum database vouch for the source. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { findOnPath } from './machine.ts';

const oldestGo = { major: 1, minor: 25 };

/** What to install before a Go program can be built for `purpose`, or undefined. */
export const goPrerequisite = async (purpose: string): Promise<string | undefined> => {
  const install = `install Go ${oldestGo.major}.${oldestGo.minor} or newer (go.dev/doc/install) and put it on PATH: ${purpose}`;
  if (findOnPath('go') === undefined) return install;
  const text = await runCommand(['go', 'version'], { timeoutMs: 30_000 });
  const match = /go(\d+)\.(\d+)/.exec(text);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  const isNewEnough = major > oldestGo.major || (major === oldestGo.major && minor >= oldestGo.minor);
  return isNewEnough ? undefined : `${install} (found: ${text})`;
};

/**
 * Builds `module` (with its version) and moves the executable to `destination` in one step.
 * @throws Error with the end of Go's output
 */
export const goInstall = async (module: string, destination: string): Promise<string> => {
  mkdirSync(dirname(destination), { recursive: true });
  // Beside its destination, so that the last move is a rename on one disk.
  const folder = mkdtempSync(join(dirname(destination), '.build-'));
  try {
    // A GOOS or GOARCH of the user's would put the program elsewhere and make it useless here.
    await runCommand(['go', 'install', module], { environment: { GOBIN: folder, GOOS: '', GOARCH: '' }, timeoutMs: 40 * 60_000 });
    const built = join(folder, basename(module.split('@')[0] ?? ''));
    chmodSync(built, 0o755);
    renameSync(built, destination);
    return destination;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
