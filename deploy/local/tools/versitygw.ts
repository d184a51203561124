/** versitygw, a real S3 server on a plain folder: what the object-store tests run against. Needed for tests only. */
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { goInstall, goPrerequisite } from './go-install.ts';
import { withLock } from './lock.ts';
import { cacheFolder, isExecutable } from './machine.ts';
import type { Part, Progress } from './part.ts';

const version = 'v1.8.0';

const cached = (): string => join(cacheFolder(), 'versitygw', version, 'versitygw');

const build = (progress: Progress): Promise<string> =>
  withLock({ path: join(dirname(cached()), 'lock'), onWait: () => progress('waiting for another set-up') }, async () => {
    if (isExecutable(cached())) return cached();
    progress('building from source with Go (about 2 minutes on 2 cores, once per user)');
    return goInstall(`github.com/versity/versitygw/cmd/versitygw@${version}`, cached());
  });

export const versitygw: Part = {
  name: 'S3 server for tests',
  find: () => (isExecutable(cached()) ? cached() : undefined),
  verify: (path) => runCommand([path, '--version'], { timeoutMs: 20_000 }),
  prerequisite: () => goPrerequisite('the S3 server that tests run against (versitygw) is built from source'),
  build,
};
