/**
 * Set-up after the npm packages: brings the servers and the Python environment. Idempotent, and quick when warm.
 * Run it through setup.mjs, which first makes node_modules complete.
 */
import { parseArgs } from 'node:util';
import { dvcClient, mlflow2Client, mlflow3Client, tritonClient } from './tools/client-environments.ts';
import { consoleFiles } from './tools/console.ts';
import { alertmanager, versitygw } from './tools/go-program.ts';
import { installParts } from './tools/install.ts';
import type { Part } from './tools/part.ts';
import { postgresBinaries } from './tools/postgres-binaries.ts';
import { prometheus } from './tools/prometheus.ts';
import { python } from './tools/python.ts';
import { temporalCli } from './tools/temporal-cli.ts';
import { testServer } from './tools/test-server.ts';

/** What is needed to run Perennial, and what its tests need beside. */
export const profiles = {
  runtime: [postgresBinaries, temporalCli, python, consoleFiles],
  test: [postgresBinaries, temporalCli, python, consoleFiles, testServer, versitygw, prometheus, alertmanager, tritonClient, mlflow3Client, mlflow2Client, dvcClient],
} as const satisfies Record<string, readonly Part[]>;

export type Profile = keyof typeof profiles;

/**
 * Brings everything of a profile onto this machine.
 * @throws Error with one line per missing prerequisite that says what to install
 */
export const setUp = (profile: Profile, log: (line: string) => void): Promise<void> =>
  installParts({ parts: profiles[profile], log });

const isProfile = (text: string): text is Profile => text in profiles;

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { profile: { type: 'string', default: 'runtime' } } });
  if (!isProfile(values.profile)) throw new Error(`--profile is "${values.profile}": it must be runtime or test`);
  await setUp(values.profile, (line) => console.log(line));
};

if (import.meta.filename === process.argv[1]) {
  await main().catch((error: unknown) => {
    console.error(`\nset-up failed:\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
