/** The usual beginning of a test of traffic: a gateway that is ready, and a model with a good version and another one. */
import { expect } from 'vitest';
import { createClient, type Client } from './client.ts';
import { eventually } from './eventually.ts';
import type { GatewayProcess } from './gateway-process.ts';
import type { Rig } from './rig.ts';

/** Starts a gateway and waits until it is ready; the client is the caller's to close. */
export const startReadyGateway = async (rig: Rig): Promise<{ gateway: GatewayProcess; client: Client }> => {
  const gateway = await rig.startGateway();
  const client = createClient(gateway.url, rig.key);
  await eventually(async () => (await client.get('/readyz')).status === 200, { what: 'the gateway is ready' });
  return { gateway, client };
};

/** Registers a good version 1, which is served, and a version 2 from the fixture `candidate`. */
export const prepareCandidate = async (rig: Rig, model: string, candidate: string): Promise<void> => {
  await rig.register(model, 1, 'sum-a');
  await rig.register(model, 2, candidate);
  expect(await rig.acknowledged(model, await rig.deploy(model, { stable: 1 }))).toEqual([]);
};
