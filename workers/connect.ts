/** Connections to the Temporal server: retried at start, since it may come up after us; later they reconnect by themselves. */
import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

const RETRY_MS = 1_000;
/** Of the first and then every so many failed attempts one is logged. */
const LOG_EVERY = 15;

/** Runs `connect` until it works. @throws the reason of `signal` when that is aborted first */
const untilConnected = async <T>(connect: () => Promise<T>, address: string, logger: Logger, signal: AbortSignal): Promise<T> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt % LOG_EVERY === 0) logger.warn({ address, error: String(error) }, 'the Temporal server cannot be reached yet; trying again');
      await delay(RETRY_MS, undefined, { signal });
    }
  }
};

/** The worker's own connection. Messages are small and the server is near: compressing them would only cost both sides time. */
export const connectWorker = ({ temporal }: Config, logger: Logger, signal: AbortSignal): Promise<NativeConnection> =>
  untilConnected(() => NativeConnection.connect({ address: temporal.address, grpcCompression: { codec: 'none' } }), temporal.address, logger, signal);
