/** The unmodified clients of MLflow, two generations, against one server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mlflow3Client } from '../../../deploy/local/tools/client-environments.ts';
import { startTrackingServer, type TrackingServer } from './support.ts';

let server: TrackingServer;
beforeAll(async () => {
  server = await startTrackingServer();
});
afterAll(() => server?.stop());

test('MLflow 3 tracks, finds and reads back what it tracked', async () => {
  const got = await server.run(mlflow3Client, 'mlflow_tracking.py', { MLFLOW_TRACKING_TOKEN: await server.api.keyOf('author') });
  console.log(JSON.stringify(got, null, 1));
  expect(got).toMatchObject({ version: '3.17.2' });
});
