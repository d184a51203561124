/** Windows of a split by event time: calendar months and days in UTC. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWindow } from '../../../domain/split.ts';
import type { SplitSpec } from '../../../contracts/pipeline.ts';

const ms = (text: string): number => Date.parse(text);
const spec = (holdout: string, train?: string): SplitSpec => ({ by: 'time', holdout: { last: holdout }, ...(train === undefined ? {} : { train: { last: train } }) });
const data = (first: string, last: string) => ({ firstMs: ms(first), lastMs: ms(last) });

describe('split by time', () => {
  it.each([
    ['the last calendar month of the data', spec('P1M'), '2013-12-31T23:59:59.999Z', '2013-12-01', '2014-01-01'],
    ['a month that has only begun', spec('P1M'), '2013-12-01T00:00:00.000Z', '2013-12-01', '2014-01-01'],
    ['the last instant of a month', spec('P1M'), '2013-11-30T23:59:59.999Z', '2013-11-01', '2013-12-01'],
    ['three months over the end of a year', spec('P3M'), '2014-01-15T12:00:00Z', '2013-11-01', '2014-02-01'],
    ['fourteen days', spec('P14D'), '2013-03-05T08:00:00Z', '2013-02-20', '2013-03-06'],
    ['one day on a leap day', spec('P1D'), '2024-02-29T01:00:00Z', '2024-02-29', '2024-03-01'],
    ['a month with a leap day', spec('P1M'), '2024-02-10T01:00:00Z', '2024-02-01', '2024-03-01'],
    ['days before 1970', spec('P2D'), '1969-12-30T12:00:00Z', '1969-12-29', '1969-12-31'],
  ])('holds out %s', (...[, split, last, from, until]) => {
    const window = splitWindow(split, data('1960-01-01T00:00:00Z', last));
    expect(window).toEqual({ trainFrom: '1960-01-01T00:00:00.000Z', holdoutFrom: `${from}T00:00:00.000Z`, holdoutUntil: `${until}T00:00:00.000Z` });
  });

  it.each([
    ['P4M', '2013-05-10T00:00:00Z', '2013-01-01'],
    ['P30D', '2013-05-10T00:00:00Z', '2013-04-01'],
    ['P12M', '2024-03-10T00:00:00Z', '2023-03-01'],
  ])('looks back %s from the holdout', (train, last, from) => {
    expect(splitWindow(spec('P1M', train), data('2000-01-01T00:00:00Z', last)).trainFrom).toBe(`${from}T00:00:00.000Z`);
  });

  it('keeps the end of a month when it looks back by months from a day', () => {
    // The holdout begins on 31 March; February has no 31st.
    expect(splitWindow(spec('P1D', 'P1M'), data('2000-01-01T00:00:00Z', '2013-03-31T10:00:00Z')).trainFrom).toBe('2013-02-28T00:00:00.000Z');
  });

  it('trains on nothing when all rows lie in the holdout', () => {
    const window = splitWindow(spec('P1M'), data('2013-12-05T00:00:00Z', '2013-12-06T00:00:00Z'));
    expect(window.trainFrom).toBe(window.holdoutFrom);
  });

  it('always holds the last row out and keeps the windows in order', () => {
    const period = fc.tuple(fc.integer({ min: 1, max: 36 }), fc.constantFrom('M', 'D')).map(([count, unit]) => `P${count}${unit}`);
    const instant = fc.date({ min: new Date('1971-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.getTime());
    fc.assert(
      fc.property(period, period, instant, instant, (holdout, train, one, other) => {
        const [firstMs, lastMs] = [Math.min(one, other), Math.max(one, other)];
        for (const split of [spec(holdout), spec(holdout, train)]) {
          const window = splitWindow(split, { firstMs, lastMs });
          expect(ms(window.holdoutFrom)).toBeLessThanOrEqual(lastMs);
          expect(ms(window.holdoutUntil)).toBeGreaterThan(lastMs);
          expect(ms(window.trainFrom)).toBeLessThanOrEqual(ms(window.holdoutFrom));
        }
      }),
    );
  });

  it('refuses what is no period', () => {
    for (const text of ['', 'P0M', '1M', 'P1Y', 'PT1H', 'P1.5M']) expect(() => splitWindow(spec(text), { firstMs: 0, lastMs: 1 })).toThrow(RangeError);
  });
});
