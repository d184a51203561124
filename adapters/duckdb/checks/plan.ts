/** Each kind of data check as SQL: which condition marks a failing row, or why the check cannot run. */
import type { DataCheck, FileCheck } from '../../../contracts/data-check.ts';
import { nearestKey } from '../../../domain/nearest-key.ts';
import { literal } from '../database.ts';
import type { CheckedColumn, CheckedTable } from './checked-table.ts';

/**
 * `rows`: rows for which `condition` is true fail. `verdict`: decided without looking at rows. `duplicates`: rows that repeat an
 * earlier one in `columns` fail. `foreignKey`: rows whose `columns` are in no row of the other table fail. `monotonic`: rows whose value is below an earlier one
 * fail. `newest`: the newest value decides, by its age in milliseconds.
 */
export type PlannedCheck =
  | { kind: 'rows'; condition: string; columns: string[]; explain: (failing: number) => string; failsAnyway?: string }
  | { kind: 'duplicates'; columns: CheckedColumn[] }
  | { kind: 'foreignKey'; columns: CheckedColumn[]; references: { table: CheckedTable; columns: CheckedColumn[] } }
  | { kind: 'monotonic'; column: CheckedColumn }
  | { kind: 'newest'; column: CheckedColumn; maximumAgeMs: number }
  | { kind: 'rowCount'; min: number | undefined; max: number | undefined }
  | { kind: 'verdict'; passed: boolean; message: string };

/** A check that one pass over the rows, or a few of its own, decide. */
export type RowCheck = Exclude<FileCheck, { kind: 'sql' }>;

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

const absentColumn = (name: string, columns: readonly CheckedColumn[]): PlannedCheck => {
  const nearest = nearestKey(name, columns.map((column) => column.name));
  return verdict(false, `cannot run: there is no column "${name}"${nearest === undefined ? '' : `; the nearest is "${nearest}"`}`);
};

const rowsWhere = (condition: string, columns: string[], what: string): PlannedCheck => ({
  kind: 'rows',
  condition,
  columns,
  explain: (failing) => (failing === 0 ? `no row ${what}` : `${failing} rows where ${columns.map((name) => `"${name}"`).join(', ')} ${what}`),
});

const planRange = (check: Extract<DataCheck, { kind: 'range' }>, column: CheckedColumn): PlannedCheck => {
  if (!NUMBER.test(column.type)) return verdict(false, `cannot run: "${column.name}" is ${column.type}, not a number`);
  const name = column.sql;
  const below = check.min === undefined ? [] : [`${name} < ${literal(String(check.min))}::DOUBLE`];
  const above = check.max === undefined ? [] : [`${name} > ${literal(String(check.max))}::DOUBLE`];
  const notNumber = column.type === 'FLOAT' || column.type === 'DOUBLE' ? [`isnan(${name})`] : [];
  const conditions = [...below, ...above, ...notNumber];
  const limits = `${check.min ?? 'any'} to ${check.max ?? 'any'}`;
  return rowsWhere(conditions.length === 0 ? 'false' : conditions.join(' OR '), [column.name], `lies outside ${limits}`);
};

const planSet = (check: Extract<DataCheck, { kind: 'set' }>, column: CheckedColumn): PlannedCheck => {
  const name = column.sql;
  const numbers = check.values.filter((value) => typeof value === 'number').map((value) => `${literal(String(value))}::DOUBLE`);
  const texts = check.values.filter((value) => typeof value === 'string').map(literal);
  const inNumbers = numbers.length === 0 ? 'false' : `coalesce(TRY_CAST(${name} AS DOUBLE) IN (${numbers.join(', ')}), false)`;
  const inTexts = texts.length === 0 ? 'false' : `CAST(${name} AS VARCHAR) IN (${texts.join(', ')})`;
  return rowsWhere(`${name} IS NOT NULL AND NOT (${inNumbers}) AND NOT (${inTexts})`, [column.name], 'is not in the set');
};

const planType = (check: Extract<DataCheck, { kind: 'type' }>, column: CheckedColumn): PlannedCheck => {
  const { matches, cast } = TYPES[check.type];
  if (matches.test(column.type)) return verdict(true, `"${column.name}" is ${column.type}`);
  if (column.type !== 'VARCHAR') return verdict(false, `"${column.name}" is ${column.type}, not ${check.type}`);
  const name = column.sql;
  return {
    kind: 'rows',
    condition: `${name} IS NOT NULL AND TRY_CAST(${name} AS ${cast}) IS NULL`,
    columns: [column.name],
    explain: (failing) => `"${column.name}" is VARCHAR, not ${check.type}; ${failing} of its values cannot be read as one`,
    failsAnyway: 'the column itself has the wrong type',
  };
};

const planRegex = (check: Extract<DataCheck, { kind: 'regex' }>, column: CheckedColumn): PlannedCheck =>
  rowsWhere(`${column.sql} IS NOT NULL AND NOT regexp_full_match(CAST(${column.sql} AS VARCHAR), ${literal(check.pattern)})`, [column.name], `does not match ${check.pattern.slice(0, 100)}`);

const UNIT_MS: Record<string, number> = { D: 86_400_000, H: 3_600_000, M: 60_000 };

const planFreshness = (check: Extract<DataCheck, { kind: 'freshness' }>, column: CheckedColumn): PlannedCheck => {
  if (!TYPES.timestamp.matches.test(column.type)) return verdict(false, `cannot run: "${column.name}" is ${column.type}, not a time`);
  const age = /(\d+)([DHM])$/.exec(check.maximumAge);
  return { kind: 'newest', column, maximumAgeMs: Number(age?.[1]) * (UNIT_MS[age?.[2] ?? ''] ?? 0) };
};

const planMonotonic = (column: CheckedColumn): PlannedCheck =>
  NUMBER.test(column.type) || TYPES.timestamp.matches.test(column.type) ? { kind: 'monotonic', column } : verdict(false, `cannot run: "${column.name}" is ${column.type}, neither a time nor a number`);

const comparable = (left: CheckedColumn, right: CheckedColumn): boolean => left.type === right.type || (NUMBER.test(left.type) && NUMBER.test(right.type));

const planForeignKey = (check: Extract<DataCheck, { kind: 'foreignKey' }>, table: CheckedTable, other: CheckedTable | undefined): PlannedCheck => {
  const { references } = check;
  if (other === undefined) return verdict(false, `cannot run: the source has no table "${references.table}"`);
  if (references.columns.length !== check.columns.length) return verdict(false, `cannot run: ${check.columns.length} columns cannot refer to ${references.columns.length}`);
  const own = check.columns.map((name) => table.columns.find((column) => column.name === name));
  const theirs = references.columns.map((name) => other.columns.find((column) => column.name === name));
  const [absent, absentThere] = [own.indexOf(undefined), theirs.indexOf(undefined)];
  if (absent >= 0) return absentColumn(check.columns[absent]!, table.columns);
  if (absentThere >= 0) return absentColumn(references.columns[absentThere]!, other.columns);
  const [columns, targets] = [own as CheckedColumn[], theirs as CheckedColumn[]];
  const unlike = columns.findIndex((column, index) => !comparable(column, targets[index]!));
  if (unlike >= 0) return verdict(false, `cannot run: "${columns[unlike]!.name}" is ${columns[unlike]!.type}, and "${targets[unlike]!.name}" of ${other.name} is ${targets[unlike]!.type}`);
  return { kind: 'foreignKey', columns, references: { table: other, columns: targets } };
};

const planColumn = (check: Extract<RowCheck, { column: string }>, column: CheckedColumn): PlannedCheck => {
  switch (check.kind) {
    case 'notNull':
      return rowsWhere(`${column.sql} IS NULL`, [column.name], 'is null');
    case 'range':
      return planRange(check, column);
    case 'set':
      return planSet(check, column);
    case 'regex':
      return planRegex(check, column);
    case 'freshness':
      return planFreshness(check, column);
    case 'monotonic':
      return planMonotonic(column);
    case 'type':
      return planType(check, column);
  }
};

/** Plans a check on a table of the source; `undefined` where the source does not have it. */
export const planCheck = (check: RowCheck, table: CheckedTable | undefined, others: ReadonlyMap<string, CheckedTable>): PlannedCheck => {
  if (table === undefined) return verdict(false, `cannot run: the source has no table "${check.table}"`);
  const { columns } = table;
  const named = (name: string): CheckedColumn | undefined => columns.find((column) => column.name === name);
  switch (check.kind) {
    case 'rowCount':
      return { kind: 'rowCount', min: check.min, max: check.max };
    case 'columns': {
      const absent = check.required.filter((name) => named(name) === undefined);
      return verdict(absent.length === 0, absent.length === 0 ? 'all required columns are there' : `columns that are not there: ${absent.slice(0, 20).join(', ')}`);
    }
    case 'unique': {
      const absent = check.columns.find((name) => named(name) === undefined);
      return absent === undefined ? { kind: 'duplicates', columns: check.columns.map((name) => named(name)!) } : absentColumn(absent, columns);
    }
    case 'foreignKey':
      return planForeignKey(check, table, others.get(check.references.table));
    default: {
      const column = named(check.column);
      return column === undefined ? absentColumn(check.column, columns) : planColumn(check, column);
    }
  }
};
