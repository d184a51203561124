/**
 * Where PostgreSQL's data and binaries lie, and the user that it runs as.
 *
 * PostgreSQL refuses to run as root, so under root it runs as the user `postgres`; and that user cannot enter a
 * folder of mode 0700, which is what root's own home is and what `mktemp -d` makes. Whatever that user cannot reach
 * is kept in a folder that it can reach: binaries once per version, data once per home, noted in the home.
 */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, chownSync, constants, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './tools/command.ts';
import { findOnPath } from './tools/machine.ts';
import { postgresNativeFolder } from './tools/postgres-binaries.ts';

export type PostgresUser = { uid: number; gid: number };

export type PostgresLocation = {
  /** Folder that holds `data`; owned by the user that runs PostgreSQL. */
  folder: string;
  /** Folder with `bin`, `lib` and `share`. */
  native: string;
  /** User to run as; absent when this process is not root. */
  user?: PostgresUser;
};

const userName = 'postgres';
const noteFile = (home: string): string => join(home, 'postgres-location');

const idOf = (flag: '-u' | '-g'): number | undefined => {
  const answer = spawnSync('id', [flag, userName], { encoding: 'utf8' });
  return answer.status === 0 ? Number(answer.stdout.trim()) : undefined;
};

const existingUser = (): PostgresUser | undefined => {
  const [uid, gid] = [idOf('-u'), idOf('-g')];
  return uid === undefined || gid === undefined || uid === 0 ? undefined : { uid, gid };
};

/** The user to drop to under root, made when it is not there. */
const unprivilegedUser = async (): Promise<PostgresUser | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const found = existingUser();
  if (found !== undefined) return found;
  if (findOnPath('useradd') !== undefined) {
    await runCommand(['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', userName]);
  }
  const made = existingUser();
  if (made !== undefined) return made;
  throw new Error(`PostgreSQL does not run as root and there is no user "${userName}" to run it as: make one, or run Perennial as another user than root`);
};

/** Asks the system itself, as that user, whether a file passes `test` (for example `-x`): it knows modes and lists alike. */
const canReach = (user: PostgresUser, test: '-x' | '-w', path: string): boolean =>
  spawnSync('/bin/sh', ['-c', `test ${test} "$1"`, 'sh', path], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;

/** /var/lib stays; /var/tmp, for systems where /var/lib is read-only, may be cleaned of old files. */
const reachableBase = (): string => {
  for (const parent of ['/var/lib', '/var/tmp']) {
    const base = join(parent, 'perennial');
    try {
      accessSync(parent, constants.W_OK);
      mkdirSync(base, { recursive: true });
      // In a folder that all may write, the name could be somebody else's link or folder.
      const entry = lstatSync(base);
      if (!entry.isDirectory() || entry.uid !== 0) continue;
      chmodSync(base, 0o755);
      return base;
    } catch {
      // The next one.
    }
  }
  throw new Error('neither /var/lib nor /var/tmp can be written: PostgreSQL needs a folder that its user can reach');
};

/** Copies the binaries to where every user can run them, complete or not at all. */
const sharedNativeFolder = async (native: string): Promise<string> => {
  const manifest = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  const base = reachableBase();
  const shared = join(base, `postgres-${manifest.version}`);
  if (existsSync(shared)) return shared;
  const partial = mkdtempSync(join(base, '.postgres-'));
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  // A clone made under umask 077 has files that only their owner can read.
  await runCommand(['chmod', '-R', 'a+rX', partial]);
  try {
    renameSync(partial, shared);
  } catch (error) {
    // Another start was first.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(shared)) throw error;
  }
  return shared;
};

const nativeFolderFor = async (user: PostgresUser, native: string): Promise<string> =>
  canReach(user, '-x', join(native, 'bin', 'postgres')) ? native : sharedNativeFolder(native);

const ownedBy = (user: PostgresUser, folder: string): string => {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  return folder;
};

/** The place noted earlier stays the place, because the data is there. */
const notedFolder = (home: string): string | undefined => {
  const note = noteFile(home);
  if (!existsSync(note)) return undefined;
  const folder = readFileSync(note, 'utf8').trim();
  if (existsSync(folder)) return folder;
  throw new Error(`PostgreSQL's data of ${home} was kept in ${folder}, which is gone: bring it back, or remove ${home} to begin anew`);
};

const dataFolderFor = (user: PostgresUser, home: string): string => {
  const noted = notedFolder(home);
  if (noted !== undefined) return ownedBy(user, noted);
  const inHome = ownedBy(user, join(home, 'postgres'));
  if (canReach(user, '-w', inHome)) return inHome;
  rmSync(inHome, { recursive: true, force: true });
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 16);
  const folder = ownedBy(user, join(reachableBase(), `home-${hash}`));
  writeFileSync(noteFile(home), `${folder}\n`);
  return folder;
};

/** Finds (and makes) the folders and the user for the PostgreSQL of a home folder; `native` is where its binaries came. */
export const locatePostgres = async (home: string, native = postgresNativeFolder): Promise<PostgresLocation> => {
  const user = await unprivilegedUser();
  if (user === undefined) {
    const folder = join(home, 'postgres');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return { folder, native };
  }
  return { folder: dataFolderFor(user, home), native: await nativeFolderFor(user, native), user };
};

/** Removes the data that a home keeps outside itself; for tests that remove their home. */
export const removeOutsideData = (home: string): void => {
  const folder = notedFolder(home);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
};
