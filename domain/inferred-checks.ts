/** A first draft of checks, from what a version is like: every one of them holds for that version. A person keeps those that mean something. */
import type { DataCheck, DraftCheck } from '../contracts/data-check.ts';
import type { DatasetManifest } from '../contracts/dataset.ts';
import type { ColumnProfile, NumberProfile } from '../contracts/dataset-profile.ts';

type Table = DatasetManifest['tables'][number];

/** A text column of more values than these is no set. */
const SET_VALUES = 20;
/** Fewer values say nothing of what others there may be. */
const LEAST_VALUES = 100;

const INTEGER = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const typeOf = (type: string): Extract<DataCheck, { kind: 'type' }>['type'] | undefined => {
  if (INTEGER.test(type)) return 'integer';
  if (/^(FLOAT|DOUBLE|DECIMAL.*)$/.test(type)) return 'number';
  if (/^(TIMESTAMP.*|DATE)$/.test(type)) return 'timestamp';
  if (type === 'BOOLEAN') return 'boolean';
  return type === 'VARCHAR' ? 'string' : undefined;
};

/** A number of two digits beyond the value, away from zero or towards it: limits that a person can read, and that hold. */
const outwards = (value: number, direction: 'down' | 'up'): number => {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  const rounded = (direction === 'down' ? Math.floor(value / unit) : Math.ceil(value / unit)) * unit;
  const text = Number(rounded.toPrecision(2));
  return Number.isFinite(text) && (direction === 'down' ? text <= value : text >= value) ? text : value;
};

const rangeOf = ({ minimum, maximum }: NumberProfile): { min: number; max: number } => ({ min: outwards(minimum, 'down'), max: outwards(maximum, 'up') });

/** All values are among the frequent ones, and none is rare enough to be a slip. */
const isSet = ({ kind, count, distinct, top }: ColumnProfile): boolean =>
  kind === 'text' && count >= LEAST_VALUES && distinct <= SET_VALUES && top.reduce((sum, { count: times }) => sum + times, 0) === count;

const checksOfColumn = (table: string, { type }: { type: string }, profile: ColumnProfile): DraftCheck[] => {
  const { column, count, nulls, numbers, kind, top } = profile;
  const declared = typeOf(type);
  const checks: DraftCheck[] = declared === undefined ? [] : [{ kind: 'type', table, column, type: declared }];
  if (nulls === 0 && count > 0) checks.push({ kind: 'notNull', table, column });
  // NaN and infinity lie outside every range.
  if (kind === 'number' && numbers !== null && numbers.notFinite === 0 && count >= LEAST_VALUES) checks.push({ kind: 'range', table, column, ...rangeOf(numbers), severity: 'warn' });
  if (isSet(profile) && type === 'VARCHAR') checks.push({ kind: 'set', table, column, values: top.map(({ value }) => value), severity: 'warn' });
  return checks;
};

const checksOfTable = (table: Table): DraftCheck[] => [
  { kind: 'rowCount', table: table.name, min: Math.max(1, Math.floor(table.rows / 2)) },
  { kind: 'columns', table: table.name, required: table.columns.map(({ name }) => name) },
  ...table.columns.flatMap((column, index) => (table.profile[index] === undefined ? [] : checksOfColumn(table.name, column, table.profile[index]))),
];

/** Checks in the order of tables and columns. */
export const inferChecks = ({ tables }: DatasetManifest): DraftCheck[] => tables.flatMap(checksOfTable);
