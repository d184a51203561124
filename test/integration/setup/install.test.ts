import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkPostgresLibraries, nodeVersionProblem, npmPackagesProblem } from '../../../deploy/local/npm-packages.mjs';
import { installParts } from '../../../deploy/local/tools/install.ts';
import { tryLock, withLock } from '../../../deploy/local/tools/lock.ts';
import type { Part } from '../../../deploy/local/tools/part.ts';
import { identityOf, isStillRunning } from '../../../deploy/local/tools/process-identity.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-install-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['20.19.0', true],
  ['20.20.2', true],
  ['22.0.0', true],
  ['24.9.1', true],
  ['20.18.9', false],
  ['18.20.0', false],
  ['21.7.0', false],
  ['23.1.0', false],
  ['26.0.0', false],
])('Node %s is fit: %s', (version, fit) => {
  const problem = nodeVersionProblem(version);
  expect(problem === undefined).toBe(fit);
  if (!fit) expect(problem).toContain('install Node 20.19 or a later 20, 22 or 24');
});

const writeLock = (path: string, version: string): void => {
  const packages = { '': { version: '1' }, 'node_modules/a': { version }, 'node_modules/b': { version: '1', optional: true } };
  writeFileSync(path, JSON.stringify({ packages }));
};

test('node_modules is judged by what npm noted: missing, fit, out of date', () => {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  writeLock(join(folder, 'package-lock.json'), '1.0.0');
  expect(npmPackagesProblem(folder)).toBe('node_modules is missing');
  mkdirSync(join(folder, 'node_modules'));
  // npm writes its note last: without it an installation was cut off.
  expect(npmPackagesProblem(folder)).toBe('node_modules is not what package-lock.json says');
  writeFileSync(installed, JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }));
  expect(npmPackagesProblem(folder)).toBeUndefined();
  writeLock(join(folder, 'package-lock.json'), '1.0.1');
  expect(npmPackagesProblem(folder)).toBe('node_modules is not what package-lock.json says');
});

test("the links between PostgreSQL's libraries are made once", () => {
  mkdirSync(join(folder, 'native', 'lib'), { recursive: true });
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  expect([linkPostgresLibraries(folder), linkPostgresLibraries(folder)]).toEqual([1, 0]);
  expect(readlinkSync(join(folder, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
});

/** A part that notes what is asked of it. */
const partOf = (name: string, asked: string[], overrides: Partial<Part>): Part => ({
  name,
  find: () => undefined,
  verify: async (path) => path,
  prerequisite: async () => undefined,
  build: async () => {
    asked.push(`build ${name}`);
    return `/built/${name}`;
  },
  ...overrides,
});

test('what is there is tried, what can be downloaded is not built, the rest is built', async () => {
  const asked: string[] = [];
  const lines: string[] = [];
  const parts = [
    partOf('there', asked, { find: () => '/bin/there' }),
    partOf('reachable', asked, { download: async () => '/downloaded' }),
    partOf('unreachable', asked, { download: async () => undefined }),
  ];
  await installParts({ parts, log: (line) => lines.push(line.replace(/\d+\.\d s/, 'N s')) });
  expect(asked).toEqual(['build unreachable']);
  expect(lines).toEqual(['✓ there: already there (N s)', '✓ reachable: installed (N s)', '✓ unreachable: installed (N s)']);
});

test('every missing prerequisite is told at once, before anything is built', async () => {
  const asked: string[] = [];
  const parts = [
    partOf('a', asked, { prerequisite: async () => 'install Go 1.25' }),
    partOf('b', asked, {}),
    partOf('c', asked, { prerequisite: async () => 'install Java 17' }),
  ];
  await expect(installParts({ parts, log: () => undefined })).rejects.toThrow('a: install Go 1.25\nc: install Java 17');
  expect(asked).toEqual([]);
});

test("a tool of the user's that does not work is an error", async () => {
  const broken = partOf('a', [], {
    find: () => '/usr/local/bin/a',
    verify: async () => {
      throw new Error('it is for another processor');
    },
  });
  await expect(installParts({ parts: [broken], log: () => undefined })).rejects.toThrow('a: it is for another processor');
});

test('a lock keeps others out, waits for them, and outlives no process', async () => {
  const path = join(folder, 'lock');
  const first = tryLock(path);
  const second = tryLock(path);
  expect(second).toMatchObject({ heldBy: { pid: process.pid } });
  const order: string[] = [];
  const waiting = withLock({ path, onWait: () => order.push('waits') }, async () => order.push('works'));
  await expect.poll(() => order).toEqual(['waits']);
  if ('release' in first) first.release();
  await waiting;
  expect(order).toEqual(['waits', 'works']);

  const holder = { ...JSON.parse(readHolderOf(path)), startedAt: 'long ago' };
  writeFileSync(path, JSON.stringify(holder));
  expect(tryLock(path)).toHaveProperty('release');
});

/** What a holder writes into the lock. */
const readHolderOf = (path: string): string => {
  const attempt = tryLock(path);
  const text = readFileSync(path, 'utf8');
  if ('release' in attempt) attempt.release();
  return text;
};

test('a process is known by id, start and command line, and not when it ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  const noted = identityOf(child.pid ?? 0);
  expect(noted?.command).toContain('setInterval');
  if (noted === undefined) return;
  expect(isStillRunning(noted)).toBe(true);
  expect(isStillRunning({ ...noted, command: 'another program' })).toBe(false);
  child.kill('SIGKILL');
  await expect.poll(() => isStillRunning(noted)).toBe(false);
});
