import { describe, expect, it } from 'vitest';
import { createLoadQueue, type LoadQueue } from '../../../serving/load-queue.ts';

/** Loads that end when they are told to; the order in which they began is kept. */
const setting = (options: Parameters<typeof createLoadQueue>[0]) => {
  const queue: LoadQueue = createLoadQueue(options);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const load = (model: string): Promise<string> =>
    queue.run(model, () => {
      begun.push(model);
      return new Promise((resolve) => ends.set(model, () => resolve(model)));
    });
  const end = async (model: string): Promise<void> => {
    ends.get(model)?.();
    await new Promise(setImmediate);
  };
  return { queue, begun, load, end };
};

describe('the load queue', () => {
  it('loads a few at a time, in order', async () => {
    const { begun, load, end } = setting({ parallel: 2 });
    const loads = ['a', 'b', 'c', 'd'].map(load);
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const model of ['a', 'c', 'd']) await end(model);
    expect(await Promise.all(loads)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('loads first what somebody waits for', async () => {
    const { queue, begun, load, end } = setting({ parallel: 1 });
    ['a', 'b', 'c', 'd'].forEach((model) => void load(model));
    queue.hurry('d');
    queue.hurry('nobody');
    await end('a');
    await end('d');
    expect(begun).toEqual(['a', 'd', 'b']);
  });

  it('goes on after a load that failed, which tells its caller', async () => {
    const { queue, begun, load } = setting({ parallel: 1 });
    const failing = queue.run('a', () => Promise.reject(new Error('broken')));
    void load('b');
    await expect(failing).rejects.toThrow('broken');
    expect(begun).toEqual(['b']);
  });

  it('does not let a load that hangs keep the others back', async () => {
    const { begun, load } = setting({ parallel: 1, slowMs: 10 });
    ['hangs', 'b'].forEach((model) => void load(model));
    await expect.poll(() => begun).toEqual(['hangs', 'b']);
  });
});
