/** Cron expressions as the Temporal server reads them (service/worker/scheduler/calendar.go of server 1.29): checked at the edge, with words for people. */

type Field = { name: string; min: number; max: number; words?: readonly string[]; shortest?: number };

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const SECOND: Field = { name: 'second', min: 0, max: 59 };
const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: 'day of month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, words: MONTHS, shortest: 3 };
const DAY_OF_WEEK: Field = { name: 'day of week', min: 0, max: 7, words: DAYS, shortest: 2 };
const YEAR: Field = { name: 'year', min: 2000, max: 2100 };

const FIVE = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];
const FIELDS: Record<number, Field[]> = { 5: FIVE, 6: [...FIVE, YEAR], 7: [SECOND, ...FIVE, YEAR] };

/** Each stands for the five fields. */
const SHORTHANDS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const textsOf = (cron: string): string[] => (SHORTHANDS[cron.trim()] ?? cron).trim().split(/\s+/);

/** A name counts from 0 for days and from 1 for months. */
const valueOf = (text: string, { min, words, shortest = 0 }: Field): number => {
  const word = text.length >= shortest ? (words ?? []).findIndex((name) => name.startsWith(text.toLowerCase())) : -1;
  if (word >= 0) return word + min;
  return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
};

const isWithin = (value: number, low: number, high: number): boolean => value >= low && value <= high;

const partProblem = (part: string, field: Field): string | null => {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return `"${part}" has no step that is a whole number from 1`;
  if (range === '*') return null;
  const [first = '', last, ...others] = range.split('-');
  const start = valueOf(first, field);
  const end = last === undefined ? start : valueOf(last, field);
  if (others.length === 0 && isWithin(start, field.min, field.max) && isWithin(end, start, field.max)) return null;
  return `"${part}" does not lie in ${field.min} to ${field.max}${field.words === undefined ? '' : ` (or ${field.words[0]?.slice(0, 3)} to ${field.words.at(-1)?.slice(0, 3)})`}`;
};

/** What is wrong with a cron expression, in a sentence; null when the server will take it. */
export const cronProblem = (cron: string): string | null => {
  if (/TZ=|#|@every/.test(cron)) return 'a time zone, a comment and @every have keys of their own: timeZone, description, everySeconds';
  const texts = textsOf(cron);
  const fields = FIELDS[texts.length];
  if (fields === undefined) return `it has ${texts.length} fields: 5 (minute, hour, day of month, month, day of week), 6 (and year) or 7 (second first)`;
  for (const [index, field] of fields.entries()) {
    const problem = (texts[index] ?? '').split(',').map((part) => partProblem(part, field)).find((found) => found !== null);
    if (problem !== undefined) return `the ${field.name} ${problem}`;
  }
  return null;
};

/** True when the hours are given: then two ticks at the same time of the clock are one that summer time has doubled. */
export const hasFixedHours = (cron: string): boolean => {
  const texts = textsOf(cron);
  return !(texts[texts.length === 7 ? 2 : 1] ?? '*').split(',').some((part) => part.startsWith('*'));
};
