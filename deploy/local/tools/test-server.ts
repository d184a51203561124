/**
 * Temporal's time-skipping test server: the official native build where it can be reached, else the same program from
 * Maven Central on Java, behind a wrapper that looks like the native one. Needed for tests only.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import { cacheFolder, findOnPath, isExecutable } from './machine.ts';
import { officialDownload } from './official-download.ts';
import type { Part, Progress } from './part.ts';

const version = '1.38.0';
const oldestJava = 17;

const cached = (): string => join(cacheFolder(), 'temporal-test-server', version, 'temporal-test-server');

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>perennial</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`;

const wrapper = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@"
`;

const javaMajor = async (): Promise<number> => {
  if (findOnPath('java') === undefined) return 0;
  // macOS has a `java` that only offers to install one: it fails.
  const text = await runCommand(['java', '-version'], { timeoutMs: 30_000 }).catch(() => '');
  return Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
};

const prerequisite = async (): Promise<string | undefined> => {
  const wanted: string[] = [];
  const major = await javaMajor();
  if (major < oldestJava) wanted.push(`Java ${oldestJava} or newer, for example openjdk-${oldestJava}-jre-headless${major > 0 ? ` (found: ${major})` : ''}`);
  if (findOnPath('mvn') === undefined) wanted.push('Maven 3.6 or newer, for example the package maven');
  if (wanted.length === 0) return undefined;
  return `install ${wanted.join(' and ')}: the tests need Temporal's time-skipping server, whose official download cannot be reached`;
};

const copyJars = async (folder: string): Promise<void> => {
  writeFileSync(join(folder, 'pom.xml'), pom);
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const flags = ['--batch-mode', '--quiet', '-f', join(folder, 'pom.xml')];
  await runCommand(['mvn', ...flags, goal, `-DoutputDirectory=${join(folder, 'jars')}`, '-DincludeScope=runtime'], { cwd: folder });
  writeFileSync(join(folder, 'temporal-test-server'), wrapper);
  chmodSync(join(folder, 'temporal-test-server'), 0o755);
};

const fetchFromMaven = async (progress: Progress): Promise<string> => {
  progress('fetching it from Maven Central (39 jars, 38 MB)');
  const parent = dirname(dirname(cached()));
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, '.build-'));
  try {
    await copyJars(folder);
    rmSync(dirname(cached()), { recursive: true, force: true });
    renameSync(folder, dirname(cached()));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return cached();
};

const locked = <T>(progress: Progress, work: () => Promise<T>): Promise<T | string> => {
  const path = join(dirname(dirname(cached())), `${version}.lock`);
  return withLock({ path, onWait: () => progress('waiting for another set-up') }, async () =>
    isExecutable(cached()) ? cached() : work(),
  );
};

const download = (progress: Progress): Promise<string | undefined> =>
  locked(progress, async () => {
    const folder = join(dirname(cached()), 'download');
    const file = await officialDownload({ type: 'time-skipping', version: `v${version}`, folder, progress });
    if (file !== undefined) renameSync(file, cached());
    return file === undefined ? undefined : cached();
  });

/** Starting it takes seconds and every run of the tests does it: here it is enough that what it stands on is there. */
const verify = async (path: string): Promise<string> => {
  const needsJava = existsSync(join(dirname(path), 'jars'));
  if (needsJava && (await javaMajor()) < oldestJava) throw new Error(`install Java ${oldestJava} or newer: ${path} runs on it`);
  return path;
};

export const testServer: Part = {
  name: 'Time-skipping Temporal server for tests',
  find: () => (isExecutable(cached()) ? cached() : undefined),
  verify,
  download,
  prerequisite,
  build: (progress) => locked(progress, () => fetchFromMaven(progress)),
};
