/** Keeps the shipper of the prediction log running beside the gateway: its work must not delay an answer. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { LOADER_ARGUMENTS } from './host-process.ts';

const RESTART_MS = 1_000;
const LAST_PASS_MS = 2_000;

/** What the gateway says to the shipper: ship what is closed, then end. */
export type ShipperRequest = { type: 'finish' };

export type ShipperProcess = {
  /** Lets it ship once more, bounded, and ends it; what it did not ship stays on the disk for the next start. */
  stop(): Promise<void>;
};

const start = (folder: string): ChildProcess => {
  const child = fork(fileURLToPath(new URL('./log-shipper.ts', import.meta.url)), [folder], { execArgv: LOADER_ARGUMENTS, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  return child;
};

export const superviseShipper = (folder: string, log: Logger): ShipperProcess => {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let child: ChildProcess | undefined;
  const launch = (): void => {
    child = start(folder);
    child.on('error', (error) => log.warn(`the log shipper cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      child = undefined;
      if (isStopped) return;
      log.warn({ code, signal }, 'the log shipper ended and is started again');
      timer = setTimeout(launch, RESTART_MS);
    });
  };
  launch();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      const last = child;
      if (last === undefined) return;
      const gone = once(last, 'exit');
      const request: ShipperRequest = { type: 'finish' };
      last.send(request, () => undefined);
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, LAST_PASS_MS).unref())]);
      last.kill('SIGKILL');
      await gone;
    },
  };
};
