import { describe, expect, it } from 'vitest';
import { PriceTable, type ResourceUse } from '../../../contracts/resources.ts';
import { costOf, noUse, sumUse } from '../../../domain/cost.ts';
import { readConfig } from '../../../workers/config.ts';

const use = (changes: Partial<ResourceUse>): ResourceUse => ({ ...noUse(), ...changes });
const prices = PriceTable.parse({ currency: 'EUR', cpuSecond: 0.01, memoryGibSecond: 0.001, gpuSecond: 1, storedGib: 0.5 });

describe('cost', () => {
  it('is the sum of its parts', () => {
    expect(costOf(use({ cpuSeconds: 100, memoryGibSeconds: 10, gpuSeconds: 2, storedBytes: 2 ** 31 }), prices)).toEqual({ cpu: 1, memory: 0.01, gpu: 2, storage: 1, total: 4.01 });
  });
  it('is not known without prices', () => expect(costOf(use({ cpuSeconds: 1 }), null)).toBeNull());
  it('leaves out what has no price', () => {
    expect(costOf(use({ cpuSeconds: 5, gpuSeconds: 9 }), PriceTable.parse({ currency: 'USD', gpuSecond: 2 }))?.total).toBe(18);
  });
  it('of all is the cost of the sum', () => {
    const uses = [use({ cpuSeconds: 3, peakMemoryBytes: 5 }), use({ cpuSeconds: 4, peakMemoryBytes: 2, storedBytes: 7 })];
    expect(sumUse(uses)).toMatchObject({ cpuSeconds: 7, peakMemoryBytes: 5, storedBytes: 7 });
    expect(sumUse([])).toEqual(noUse());
  });
});

describe('prices in the configuration', () => {
  const read = (text: string) => readConfig({ PERENNIAL_PRICES: text }).prices;
  it('are none by default', () => expect(readConfig({}).prices).toBeNull());
  it('are read from JSON', () => expect(read('{"currency":"EUR","cpuSecond":0.00001}')).toEqual({ currency: 'EUR', cpuSecond: 0.00001, memoryGibSecond: 0, gpuSecond: 0, storedGib: 0 }));
  it.each([
    ['{"currency":"euro"}', /currency: a currency of ISO 4217/],
    ['{"currency":"EUR","cpuSeconds":1}', /cpuSeconds/],
    ['{"currency":"EUR","cpuSecond":-1}', /cpuSecond/],
    ['{', /JSON/],
    ['not/there.json', /ENOENT/],
  ])('%s is refused with the reason', (text, reason) => {
    expect(() => read(text)).toThrow(/^PERENNIAL_PRICES is no price table/);
    expect(() => read(text)).toThrow(reason);
  });
});
