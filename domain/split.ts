/** Split by event time: which half-open windows of time the training and the held-out rows come from. All in UTC. */
import type { SplitSpec } from '../contracts/pipeline.ts';
import type { SplitWindow } from '../contracts/features.ts';

type Period = { count: number; unit: 'M' | 'D' };

const DAY_MS = 86_400_000;

const parsePeriod = (text: string): Period => {
  const match = /^P([1-9]\d{0,2})(M|D)$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is no period of whole months or days, such as P1M or P14D`);
  return { count: Number(match[1]), unit: match[2] as 'M' | 'D' };
};

/** First instant of the calendar month (or day) after the one that holds the instant. */
const endOfUnit = (instantMs: number, unit: 'M' | 'D'): number => {
  const date = new Date(instantMs);
  return unit === 'M' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : Math.floor(instantMs / DAY_MS) * DAY_MS + DAY_MS;
};

/**
 * The instant one period earlier. Whole months keep the day of the month and the time of day; a day that the month does not
 * have becomes its last (31 March minus one month is the last of February).
 */
const minus = (instantMs: number, { count, unit }: Period): number => {
  if (unit === 'D') return instantMs - count * DAY_MS;
  const date = new Date(instantMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() - count];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), lastDay);
  return Date.UTC(year, month, day) + (((instantMs % DAY_MS) + DAY_MS) % DAY_MS);
};

const iso = (instantMs: number): string => new Date(instantMs).toISOString();

/**
 * Windows of a split, from the event times of the first and the last row (milliseconds since the epoch).
 * The holdout is the last whole months or days that the data reaches into; training is all before it, or the last period before it.
 * @throws RangeError when a period is not one, or the times are not finite
 */
export const splitWindow = (split: SplitSpec, data: { firstMs: number; lastMs: number }): SplitWindow => {
  const holdout = parsePeriod(split.holdout.last);
  const holdoutUntil = endOfUnit(data.lastMs, holdout.unit);
  const holdoutFrom = minus(holdoutUntil, holdout);
  const trainLast = split.train?.last;
  const trainFrom = trainLast === undefined ? Math.min(data.firstMs, holdoutFrom) : minus(holdoutFrom, parsePeriod(trainLast));
  return { trainFrom: iso(trainFrom), holdoutFrom: iso(holdoutFrom), holdoutUntil: iso(holdoutUntil) };
};
