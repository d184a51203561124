/** Versions of what was measured, read from the machine itself. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolveTools } from '../../deploy/local/tools/resolve.ts';

const packageVersion = (name: string): string => (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;

export const versionsOf = (): Record<string, string> => ({
  node: process.version,
  temporalSdk: packageVersion('@temporalio/worker'),
  temporalCli: spawnSync(resolveTools().temporalCli, ['--version'], { encoding: 'utf8' }).stdout.trim(),
  fastify: packageVersion('fastify'),
});
