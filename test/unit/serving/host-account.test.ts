import { describe, expect, it } from 'vitest';
import type { ServingResources } from '../../../contracts/deployment.ts';
import { createHostAccount } from '../../../serving/host-account.ts';

const GIB = 2 ** 30;
/** Hosts whose use is played, and a clock that is moved by hand. */
const rig = () => {
  const world = { at: Date.parse('2026-05-01T23:59:50Z'), hosts: [{ name: 'flights/1', pid: 10 as number | undefined }], trees: new Map([[10, { cpuSeconds: 1, memoryBytes: GIB }]]) };
  const account = createHostAccount({
    hosts: () => world.hosts,
    readTree: (pid) => {
      const tree = world.trees.get(pid);
      return tree === undefined ? { pids: [], cpuSeconds: 0, memoryBytes: 0, highestMemoryBytes: 0 } : { pids: [pid], ...tree, highestMemoryBytes: tree.memoryBytes + 1 };
    },
    now: () => new Date(world.at),
  });
  const step = (seconds: number, pid: number, cpuSeconds: number): void => {
    world.at += seconds * 1_000;
    world.trees.set(pid, { cpuSeconds, memoryBytes: GIB });
    account.look();
  };
  return { world, account, step };
};
const flush = async ({ account }: ReturnType<typeof rig>): Promise<ServingResources[]> => {
  let written: ServingResources[] = [];
  await account.flush(async (changed) => void (written = changed));
  return written;
};

describe('the account of model hosts', () => {
  it('has the CPU since the last look and the memory over time', async () => {
    const test = rig();
    test.account.look();
    test.step(4, 10, 3);
    expect(test.account.of('flights/1')).toEqual({ cpuSeconds: 3, memoryBytes: GIB });
    expect(await flush(test)).toEqual([{ model: 'flights', version: 1, day: '2026-05-01', cpuSeconds: 3, memoryGibSeconds: 4, peakMemoryBytes: GIB + 1 }]);
    expect(await flush(test)).toEqual([]);
  });

  it('goes on when a host is replaced, and begins a new day', async () => {
    const test = rig();
    test.account.look();
    test.world.hosts = [{ name: 'flights/1', pid: 11 }];
    test.step(1, 11, 0.5);
    test.step(20, 11, 2.5);
    const written = await flush(test);
    expect(written.map(({ day, cpuSeconds }) => [day, cpuSeconds])).toEqual([['2026-05-01', 1.5], ['2026-05-02', 2]]);
    expect(test.account.of('flights/1').cpuSeconds).toBe(3.5);
  });

  it('hands all over again after a failed write, and forgets a day that is written and over', async () => {
    const test = rig();
    test.account.look();
    await expect(test.account.flush(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await flush(test)).toHaveLength(1);
    test.step(60, 10, 5);
    expect((await flush(test)).map(({ day }) => day)).toEqual(['2026-05-02']);
  });

  it('asks the system once for the many metrics of a scrape, and leaves out hosts that are gone', () => {
    const test = rig();
    test.account.look();
    test.world.trees.set(10, { cpuSeconds: 9, memoryBytes: GIB });
    test.account.look();
    expect(test.account.of('flights/1').cpuSeconds).toBe(1);
    test.world.hosts = [{ name: 'flights/1', pid: undefined }, { name: 'other/1', pid: 99 }];
    test.world.at += 1_000;
    test.account.look();
    expect(test.account.of('other/1')).toEqual({ cpuSeconds: 0, memoryBytes: 0 });
  });
});
