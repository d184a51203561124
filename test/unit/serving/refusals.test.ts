import { describe, expect, it } from 'vitest';
import type { RefusalCount } from '../../../contracts/live-inputs.ts';
import { createRefusalBook } from '../../../serving/refusals.ts';

const place = { model: 'flights', version: 3 };
const late = { reason: 'wrongType', input: 'distance' } as const;

const begin = (at = 100_000) => {
  const clock = { now: at };
  const written: RefusalCount[][] = [];
  const book = createRefusalBook(() => clock.now);
  return { clock, written, book, flush: () => book.flush(async (changed) => void written.push(changed)) };
};

describe('the book of refusals', () => {
  it('counts by reason, input and span of time, and writes what changed, as it stands', async () => {
    const { clock, written, book, flush } = begin(109_000);
    book.count(place, late);
    book.count(place, late);
    book.count(place, { reason: 'malformed', input: null });
    await flush();
    clock.now = 111_000;
    book.count(place, late);
    await flush();
    await flush();
    expect(written).toEqual([
      [{ ...place, ...late, at: 100_000, requests: 2 }, { ...place, reason: 'malformed', input: null, at: 100_000, requests: 1 }],
      [{ ...place, ...late, at: 110_000, requests: 1 }],
    ]);
    expect(book.totals()).toEqual([{ ...place, reason: 'wrongType', requests: 3 }, { ...place, reason: 'malformed', requests: 1 }]);
  });

  it('writes again what could not be written, and what was counted while it was written', async () => {
    const { written, book, flush } = begin();
    book.count(place, late);
    await expect(book.flush(async () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await book.flush(async (changed) => {
      book.count(place, late);
      written.push(changed);
    });
    await flush();
    expect(written.map(([count]) => count?.requests)).toEqual([1, 2]);
  });

  it('does not grow with a flood: many inputs become none, old spans are dropped', async () => {
    const { clock, written, book, flush } = begin(0);
    for (let input = 0; input < 1_000; input += 1) book.count(place, { reason: 'wrongType', input: `features/${input}` });
    await flush();
    expect(written[0]).toHaveLength(201);
    expect(written[0]?.at(-1)).toEqual({ ...place, reason: 'wrongType', input: null, at: 0, requests: 800 });
    for (let span = 1; span <= 1_000; span += 1) {
      clock.now = span * 10_000;
      book.count(place, late);
    }
    await flush();
    expect(written[1]).toHaveLength(360);
  });
});
