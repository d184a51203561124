/** What a run used, as it is shown: per step over its attempts, and for the run as a whole. Pure. */
import { z } from 'zod';
import { Cost, ResourceUse, type AttemptUse, type PriceTable } from '../../contracts/resources.ts';
import { costOf, sumUse } from '../../domain/cost.ts';

/** Use with its price; `cost` is null where no prices are declared. */
export const PricedUse = ResourceUse.extend({ cost: Cost.nullable() });
export type PricedUse = z.infer<typeof PricedUse>;

export const StepResources = PricedUse.extend({
  attempts: z.number().int().describe('Attempts that were measured: one whose worker was killed was not.'),
  waitingSeconds: z.number().describe('How long the attempts waited for a worker, together.'),
  durationSeconds: z.number().describe('How long they ran, together.'),
}).meta({ id: 'StepResources' });
export type StepResources = z.infer<typeof StepResources>;

export const priced = (use: ResourceUse, prices: PriceTable | null): PricedUse => ({ ...use, cost: costOf(use, prices) });

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** The sum over attempts; null where none was measured. */
export const resourcesOf = (uses: readonly AttemptUse[] | null, prices: PriceTable | null): StepResources | null => {
  if (uses === null || uses.length === 0) return null;
  return {
    ...priced(sumUse(uses), prices),
    attempts: uses.length,
    waitingSeconds: total(uses.map((use) => use.waitingSeconds)),
    durationSeconds: total(uses.map((use) => use.durationSeconds)),
  };
};
