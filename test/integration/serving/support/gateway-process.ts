/** A real gateway process of a test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

const MAIN = fileURLToPath(new URL('../../../../serving/main.ts', import.meta.url));

export type GatewayProcess = {
  url: string;
  /** Host and port of its gRPC. */
  grpc: string;
  child: ChildProcess;
  /** Its log so far, one parsed object per line. */
  log: Record<string, unknown>[];
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
};

/** Starts a gateway; resolves when it listens. `prefix` is put before the command, such as a limit on it. */
export const startGatewayProcess = async (environment: Record<string, string>, prefix: readonly string[] = []): Promise<GatewayProcess> => {
  const [command = process.execPath, ...args] = [...prefix, process.execPath, '--import', import.meta.resolve('tsx'), MAIN];
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (process.env['SHOW_GATEWAY_LOG'] !== undefined) console.log(line);
    log.push(JSON.parse(line) as Record<string, unknown>);
  });
  const gone = once(child, 'exit') as Promise<[number | null]>;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return (await gone)[0];
  };
  const { url, grpc } = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}: ${JSON.stringify(log.at(-1))}`);
      return log.find((line) => line['ready'] === true) as { url: string; grpc: string } | undefined;
    },
    { what: 'the gateway listens', ms: 30_000 },
  );
  return { url, grpc, child, log, kill: async () => void (await end('SIGKILL')), stop: () => end('SIGTERM') };
};
