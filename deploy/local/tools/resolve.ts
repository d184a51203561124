/** Where the tools are that set-up brought: looked up in milliseconds, nothing is installed or run. */
import { alertmanager, versitygw } from './go-program.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { prometheus } from './prometheus.ts';
import { python } from './python.ts';
import { temporalCli } from './temporal-cli.ts';
import { testServer } from './test-server.ts';

export type Tools = {
  /** The Temporal CLI. */
  temporalCli: string;
  /** Interpreter with the trainers' packages. */
  python: string;
  /** Time-skipping server for tests, to be given as `{type: 'existing-path', path}`. */
  testServer?: string;
  /** S3 server for tests. */
  versitygw?: string;
  /** Checks metrics, in tests; prometheus itself lies beside it. */
  promtool?: string;
  /** An Alertmanager for tests. */
  alertmanager?: string;
};

const needed = (path: string | undefined, name: string): string => {
  if (path !== undefined) return path;
  throw new Error(`${name} is not there yet: run \`node deploy/local/setup.mjs\``);
};

/**
 * Paths of the tools on this machine; those that tests alone need may be absent.
 * @throws Error that names set-up when a needed one is not installed
 */
export const resolveTools = (): Tools => {
  needed(postgresBinaries.find(), postgresBinaries.name);
  return {
    temporalCli: needed(temporalCli.find(), temporalCli.name),
    python: needed(python.find(), python.name),
    testServer: testServer.find(),
    versitygw: versitygw.find(),
    promtool: prometheus.find(),
    alertmanager: alertmanager.find(),
  };
};
