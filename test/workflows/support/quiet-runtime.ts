import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/**
 * Failures are what many of these tests are about: they belong in their expectations, not in the output. What the SDK itself calls an error,
 * such as a workflow task that cannot complete, is shown.
 */
export const installQuietRuntime = (): void => {
  const logger = new DefaultLogger('ERROR', ({ message, meta }) => {
    if (meta?.sdkComponent !== 'workflow') console.error(message, meta);
  });
  Runtime.install({ logger, telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } } });
};
