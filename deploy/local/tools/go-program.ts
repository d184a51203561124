/** Programs that tests need and that Go builds from source at a pinned version, once per user. */
import { basename, dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { goInstall, goPrerequisite } from './go-install.ts';
import { withLock } from './lock.ts';
import { cacheFolder, isExecutable } from './machine.ts';
import type { Part } from './part.ts';

type GoProgram = {
  /** What a user reads in the progress lines. */
  name: string;
  /** The package of its `main`. */
  module: string;
  version: string;
  /** Why it is needed, for who lacks Go. */
  purpose: string;
};

const goProgram = ({ name, module, version, purpose }: GoProgram): Part => {
  const cached = (): string => join(cacheFolder(), basename(module), version, basename(module));
  return {
    name,
    find: () => (isExecutable(cached()) ? cached() : undefined),
    verify: (path) => runCommand([path, '--version'], { timeoutMs: 20_000 }),
    prerequisite: () => goPrerequisite(purpose),
    build: (progress) =>
      withLock({ path: join(dirname(cached()), 'lock'), onWait: () => progress('waiting for another set-up') }, async () => {
        if (isExecutable(cached())) return cached();
        progress('building from source with Go (about 2 minutes on 2 cores, once per user)');
        return goInstall(`${module}@${version}`, cached());
      }),
  };
};

/** A real S3 server on a plain folder: what the object-store tests run against. */
export const versitygw = goProgram({
  name: 'S3 server for tests',
  module: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  purpose: 'the S3 server that tests run against (versitygw) is built from source',
});

/** What alerts are sent to in tests. Debian's package looks for its templates in a folder of its own and does not run unpacked. */
export const alertmanager = goProgram({
  name: 'Alertmanager for tests',
  module: 'github.com/prometheus/alertmanager/cmd/alertmanager',
  version: 'v0.28.1',
  purpose: 'the Alertmanager that tests send alerts to is built from source',
});
