import { describe, expect, it } from 'vitest';
import { createDeploymentLookup, type Expectation } from '../../../serving/deployment-lookup.ts';
import type { AppliedDeployment } from '../../../serving/deployment-table.ts';

const deployment = { inFlight: 0 } as AppliedDeployment;

const setting = (limits?: Parameters<typeof createDeploymentLookup>[1]) => {
  const world: { deployment: AppliedDeployment | undefined; expectation: Expectation } = { deployment: undefined, expectation: 'loading' };
  return { world, lookup: createDeploymentLookup({ table: { get: () => world.deployment }, expectationOf: () => world.expectation, hurry: () => undefined }, limits) };
};

describe('the deployment of a request', () => {
  it('is waited for while its model is loaded, through changes that concern others', async () => {
    const { world, lookup } = setting();
    const found = lookup.find('flights');
    lookup.changed();
    await Promise.resolve();
    world.deployment = deployment;
    lookup.changed();
    expect(await found).toBe(deployment);
  });

  it('is under way from the moment in which it is found, not a turn later', async () => {
    const { world, lookup } = setting();
    const entered = [lookup.enter('flights')];
    world.deployment = { inFlight: 0 } as AppliedDeployment;
    lookup.changed();
    entered.push(lookup.enter('flights'));
    expect(world.deployment.inFlight).toBe(1);
    const first = world.deployment;
    await Promise.all(entered);
    expect(first.inFlight).toBe(2);
  });

  it.each([
    ['unknown', 'ModelNotFound'],
    ['failed', 'ModelUnavailable'],
  ] as const)('that turns out to be %s is refused with %s', async (expectation, code) => {
    const { world, lookup } = setting();
    const found = lookup.find('flights');
    world.expectation = expectation;
    lookup.changed();
    await expect(found).rejects.toMatchObject({ code });
    expect(() => lookup.now('flights')).toThrowError(expect.objectContaining({ code }));
  });

  it('is not waited for without end, nor by too many', async () => {
    const { lookup } = setting({ waitMs: 10, mostWaiting: 2 });
    const outcomes = await Promise.allSettled([lookup.find('flights'), lookup.find('flights'), lookup.find('flights')]);
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.code)).toEqual(['ModelUnavailable', 'ModelUnavailable', 'Overloaded']);
    expect(() => lookup.now('flights')).toThrowError(expect.objectContaining({ code: 'ModelUnavailable' }));
  });
});
