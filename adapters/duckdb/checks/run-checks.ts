/**
 * Runs checks on files: all checks of a table that look at single rows in one pass of constant memory; a pass of its own for each check of uniqueness, of a
 * foreign key or of an order. Only when something fails are the rows read again, for examples with their numbers.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckResult } from '../../../contracts/check-report.ts';
import type { LocalTable } from '../../../domain/ports/data-engine.ts';
import { nameOfCheck } from '../../../domain/check-names.ts';
import { messageOf, rowOf } from '../database.ts';
import { duckdbFailure } from '../failure.ts';
import { sourceTables, type OnFile } from '../source-tables.ts';
import { checkedTable, rowsOfTable, type CheckedTable } from './checked-table.ts';
import { countsOf, findExamples } from './examples.ts';
import { foreignKeyOutcome } from './foreign-key.ts';
import { monotonicOutcome } from './monotonic.ts';
import { failedWith, passedWith, type Outcome } from './outcome.ts';
import { planCheck, type PlannedCheck, type RowCheck } from './plan.ts';
import { uniqueOutcome } from './unique.ts';

type Planned = { check: RowCheck; plan: PlannedCheck };
type Counted = { rows: number; counts: Map<RowCheck, number>; broken: Map<RowCheck, string> };

const aggregateOf = ({ plan }: Planned): string | undefined => {
  if (plan.kind === 'rows') return `count_if(${plan.condition})`;
  return plan.kind === 'newest' ? `epoch_ms(max(${plan.column.sql}))` : undefined;
};

/** One pass for all. Where DuckDB refuses, each is tried alone: a pattern that is no regular expression breaks its own check, and not the others. */
const countAll = async (connection: DuckDBConnection, table: CheckedTable, planned: Planned[]): Promise<Counted> => {
  const asked = planned.flatMap((item) => {
    const sql = aggregateOf(item);
    return sql === undefined ? [] : [{ check: item.check, sql }];
  });
  const relation = rowsOfTable(table);
  const columns = asked.map(({ sql }, index) => `, ${sql} AS a${index}`).join('');
  try {
    const counts = await countsOf(connection, `SELECT count(*) AS total${columns} FROM ${relation}`);
    return { rows: counts['total'] ?? 0, counts: new Map(asked.map(({ check }, index) => [check, counts[`a${index}`] ?? 0])), broken: new Map() };
  } catch (error) {
    if (asked.length === 0) throw error;
    const { total } = await rowOf<{ total: bigint }>(connection, `SELECT count(*) AS total FROM ${relation}`);
    const counted: Counted = { rows: Number(total), counts: new Map(), broken: new Map() };
    for (const { check, sql } of asked) {
      await countsOf(connection, `SELECT ${sql} AS a FROM ${relation}`).then(
        ({ a }) => counted.counts.set(check, a ?? 0),
        (reason: unknown) => counted.broken.set(check, messageOf(reason)),
      );
    }
    return counted;
  }
};

const rowCountOutcome = (rows: number, plan: Extract<PlannedCheck, { kind: 'rowCount' }>): Outcome => {
  const passed = rows >= (plan.min ?? 0) && rows <= (plan.max ?? Infinity);
  const message = `${rows} rows${passed ? '' : `; wanted are ${plan.min ?? 0} to ${plan.max ?? 'any number of'} rows`}`;
  return passed ? passedWith(message) : failedWith(message);
};

const newestOutcome = ({ column, maximumAgeMs }: Extract<PlannedCheck, { kind: 'newest' }>, newest: number, atMs: number): Outcome => {
  if (newest === 0) return failedWith(`"${column.name}" has no value`);
  const message = `the newest "${column.name}" is ${new Date(newest).toISOString()}, ${((atMs - newest) / 3_600_000).toFixed(1)} hours old`;
  return atMs - newest <= maximumAgeMs ? passedWith(message) : failedWith(`${message}; at most ${maximumAgeMs / 3_600_000} hours are allowed`);
};

const outcomeOf = async (connection: DuckDBConnection, table: CheckedTable, { check, plan }: Planned, { counted, atMs }: { counted: Counted; atMs: number }): Promise<Outcome> => {
  const broken = counted.broken.get(check);
  if (broken !== undefined) return failedWith(`cannot run: ${broken}`);
  switch (plan.kind) {
    case 'verdict':
      return plan.passed ? passedWith(plan.message) : failedWith(plan.message);
    case 'rowCount':
      return rowCountOutcome(counted.rows, plan);
    case 'newest':
      return newestOutcome(plan, counted.counts.get(check) ?? 0, atMs);
    case 'duplicates':
      return uniqueOutcome(connection, table, plan.columns);
    case 'foreignKey':
      return foreignKeyOutcome(connection, table, plan);
    case 'monotonic':
      return monotonicOutcome(connection, table, plan.column);
    case 'rows': {
      const failingRows = counted.counts.get(check) ?? 0;
      return { passed: failingRows === 0 && plan.failsAnyway === undefined, failingRows, message: plan.explain(failingRows), examples: [] };
    }
  }
};

const resultOf = (check: RowCheck, rows: number, outcome: Outcome): CheckResult => ({
  check: nameOfCheck(check),
  table: check.table,
  severity: check.severity,
  rows,
  share: rows === 0 ? 0 : outcome.failingRows / rows,
  ...outcome,
});

const checkTable = async (connection: DuckDBConnection, table: CheckedTable, run: { planned: Planned[]; atMs: number }): Promise<Map<RowCheck, CheckResult>> => {
  const counted = await countAll(connection, table, run.planned);
  const results = new Map<RowCheck, CheckResult>();
  for (const item of run.planned) {
    const outcome = await outcomeOf(connection, table, item, { counted, atMs: run.atMs });
    results.set(item.check, resultOf(item.check, counted.rows, outcome));
  }
  const failing = run.planned.flatMap(({ check, plan }) => {
    const result = results.get(check);
    return plan.kind === 'rows' && result !== undefined && result.failingRows > 0 ? [{ result, condition: plan.condition, columns: plan.columns, failing: result.failingRows }] : [];
  });
  const examples = failing.length === 0 ? [] : await findExamples(connection, table, failing);
  failing.forEach(({ result }, index) => (result.examples = examples[index] ?? []));
  return results;
};

export type CheckInput = { folder: string; tables: LocalTable[]; checks: RowCheck[]; atMs: number; onFile: OnFile };

/** See the port DataEngine; results come in the order of the checks. */
export const runChecks = async (connection: DuckDBConnection, input: CheckInput): Promise<CheckResult[]> => {
  const named = new Set(input.checks.flatMap((check) => [check.table, ...(check.kind === 'foreignKey' ? [check.references.table] : [])]));
  const wanted = input.tables.filter(({ name }) => named.has(name));
  const masked = new Map(wanted.map((table) => [table.name, table.masked ?? []]));
  const tables = new Map((await sourceTables(connection, input.folder, wanted, input.onFile)).map((source) => [source.name, checkedTable(source, masked.get(source.name) ?? [])]));
  const results = new Map<RowCheck, CheckResult>();
  for (const table of tables.values()) {
    const planned = input.checks.filter((check) => check.table === table.name).map((check) => ({ check, plan: planCheck(check, table, tables) }));
    if (planned.length === 0) continue;
    input.onFile(`the files of table ${table.name}`);
    const found = await checkTable(connection, table, { planned, atMs: input.atMs }).catch((error: unknown) => {
      throw duckdbFailure('SourceCorrupt', `the checks of table ${table.name} cannot be run`, error);
    });
    for (const [check, result] of found) results.set(check, result);
  }
  input.onFile(null);
  const withoutTable = (check: RowCheck): CheckResult => {
    const plan = planCheck(check, undefined, tables);
    return resultOf(check, 0, failedWith(plan.kind === 'verdict' ? plan.message : ''));
  };
  return input.checks.map((check) => results.get(check) ?? withoutTable(check));
};
