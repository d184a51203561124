/** Each kind of data check as SQL: which condition marks a failing row, or why the check cannot run. */
import type { DataCheck } from '../../contracts/pipeline.ts';
import { nearestKey } from '../../domain/nearest-key.ts';
import { identifier, literal, type Column } from './database.ts';

/**
 * `rows`: rows for which `condition` is true fail. `verdict`: decided without looking at rows. `duplicates`: rows that repeat an
 * earlier one in `columns` fail.
 */
export type PlannedCheck =
  | { kind: 'rows'; condition: string; columns: string[]; explain: (failing: number) => string; failsAnyway?: string }
  | { kind: 'duplicates'; columns: string[] }
  | { kind: 'rowCount'; min: number | undefined; max: number | undefined }
  | { kind: 'verdict'; passed: boolean; message: string };

type ColumnType = Extract<DataCheck, { kind: 'type' }>['type'];

const INTEGER = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const NUMBER = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/;

const TYPES: Record<ColumnType, { matches: RegExp; cast: string }> = {
  integer: { matches: INTEGER, cast: 'BIGINT' },
  number: { matches: NUMBER, cast: 'DOUBLE' },
  string: { matches: /^(VARCHAR|ENUM.*)$/, cast: 'VARCHAR' },
  boolean: { matches: /^BOOLEAN$/, cast: 'BOOLEAN' },
  timestamp: { matches: /^(TIMESTAMP.*|DATE)$/, cast: 'TIMESTAMP' },
};

const verdict = (passed: boolean, message: string): PlannedCheck => ({ kind: 'verdict', passed, message });

const absentColumn = (name: string, columns: Column[]): PlannedCheck => {
  const nearest = nearestKey(name, columns.map((column) => column.name));
  return verdict(false, `cannot run: there is no column "${name}"${nearest === undefined ? '' : `; the nearest is "${nearest}"`}`);
};

const rowsWhere = (condition: string, columns: string[], what: string): PlannedCheck => ({
  kind: 'rows',
  condition,
  columns,
  explain: (failing) => (failing === 0 ? `no row ${what}` : `${failing} rows where ${columns.map((name) => `"${name}"`).join(', ')} ${what}`),
});

const planRange = (check: Extract<DataCheck, { kind: 'range' }>, column: Column): PlannedCheck => {
  if (!NUMBER.test(column.type)) return verdict(false, `cannot run: "${column.name}" is ${column.type}, not a number`);
  const name = identifier(column.name);
  const below = check.min === undefined ? [] : [`${name} < ${literal(String(check.min))}::DOUBLE`];
  const above = check.max === undefined ? [] : [`${name} > ${literal(String(check.max))}::DOUBLE`];
  const notNumber = column.type === 'FLOAT' || column.type === 'DOUBLE' ? [`isnan(${name})`] : [];
  const conditions = [...below, ...above, ...notNumber];
  const limits = `${check.min ?? 'any'} to ${check.max ?? 'any'}`;
  return rowsWhere(conditions.length === 0 ? 'false' : conditions.join(' OR '), [column.name], `lies outside ${limits}`);
};

const planSet = (check: Extract<DataCheck, { kind: 'set' }>, column: Column): PlannedCheck => {
  const name = identifier(column.name);
  const numbers = check.values.filter((value) => typeof value === 'number').map((value) => `${literal(String(value))}::DOUBLE`);
  const texts = check.values.filter((value) => typeof value === 'string').map(literal);
  const inNumbers = numbers.length === 0 ? 'false' : `coalesce(TRY_CAST(${name} AS DOUBLE) IN (${numbers.join(', ')}), false)`;
  const inTexts = texts.length === 0 ? 'false' : `CAST(${name} AS VARCHAR) IN (${texts.join(', ')})`;
  return rowsWhere(`${name} IS NOT NULL AND NOT (${inNumbers}) AND NOT (${inTexts})`, [column.name], 'is not in the set');
};

const planType = (check: Extract<DataCheck, { kind: 'type' }>, column: Column): PlannedCheck => {
  const { matches, cast } = TYPES[check.type];
  if (matches.test(column.type)) return verdict(true, `"${column.name}" is ${column.type}`);
  if (column.type !== 'VARCHAR') return verdict(false, `"${column.name}" is ${column.type}, not ${check.type}`);
  const name = identifier(column.name);
  return {
    kind: 'rows',
    condition: `${name} IS NOT NULL AND TRY_CAST(${name} AS ${cast}) IS NULL`,
    columns: [column.name],
    explain: (failing) => `"${column.name}" is VARCHAR, not ${check.type}; ${failing} of its values cannot be read as one`,
    failsAnyway: 'the column itself has the wrong type',
  };
};

/** Plans a check on a table with these columns; `undefined` columns: the table is not in the source. */
export const planCheck = (check: DataCheck, columns: Column[] | undefined): PlannedCheck => {
  if (columns === undefined) return verdict(false, `cannot run: the source has no table "${check.table}"`);
  const named = (name: string): Column | undefined => columns.find((column) => column.name === name);
  switch (check.kind) {
    case 'rowCount':
      return { kind: 'rowCount', min: check.min, max: check.max };
    case 'columns': {
      const absent = check.required.filter((name) => named(name) === undefined);
      return verdict(absent.length === 0, absent.length === 0 ? 'all required columns are there' : `columns that are not there: ${absent.slice(0, 20).join(', ')}`);
    }
    case 'unique': {
      const absent = check.columns.find((name) => named(name) === undefined);
      return absent === undefined ? { kind: 'duplicates', columns: check.columns } : absentColumn(absent, columns);
    }
    default: {
      const column = named(check.column);
      if (column === undefined) return absentColumn(check.column, columns);
      if (check.kind === 'notNull') return rowsWhere(`${identifier(column.name)} IS NULL`, [column.name], 'is null');
      if (check.kind === 'range') return planRange(check, column);
      return check.kind === 'set' ? planSet(check, column) : planType(check, column);
    }
  }
};
