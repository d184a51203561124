/** JSON lines on standard output, for our own code and for Temporal's alike. */
import { pino, type Logger } from 'pino';
import { Runtime, type LogLevel, type LogMetadata, type Logger as TemporalLogger } from '@temporalio/worker';

export type { Logger };

export const createLogger = ({ logLevel, pool }: { logLevel: string; pool: string }): Logger => pino({ level: logLevel, base: { pool, pid: process.pid } });

const LEVELS: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

const temporalLogger = (logger: Logger): TemporalLogger => {
  const log = (level: LogLevel, message: string, meta?: LogMetadata): void => logger[LEVELS[level]](meta ?? {}, message);
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
};

/**
 * Sends what the SDK and its native core log through our logger; SIGINT and SIGTERM drain the worker. Once per process, first of all.
 * `metricsAddress` (host:port) is where the SDK exports its own metrics for Prometheus; undefined: nowhere.
 */
export const installRuntime = (logger: Logger, metricsAddress: string | undefined): void => {
  const prometheus = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress, ...prometheus } } }),
    },
    shutdownSignals: ['SIGINT', 'SIGTERM'],
  });
};
