/** Runs data checks: all checks of a table that look at single rows in one pass, one more for each check of uniqueness. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckResult } from '../../contracts/dataset.ts';
import type { DataCheck } from '../../contracts/pipeline.ts';
import type { LocalTable } from '../../domain/ports/data-engine.ts';
import { planCheck, type PlannedCheck } from './check-expressions.ts';
import { identifier, rowOf } from './database.ts';
import { duckdbFailure } from './failure.ts';
import { readTable, sourceTables, type OnFile, type SourceTable } from './source-tables.ts';

const EXAMPLES = 5;
const EXAMPLE_LENGTH = 400;

type Outcome = { passed: boolean; failingRows: number; message: string; examples: string[] };

const nameOf = (check: DataCheck): string => {
  if (check.kind === 'rowCount') return 'rowCount';
  const columns = check.kind === 'columns' ? check.required : check.kind === 'unique' ? check.columns : [check.column];
  const of = check.kind === 'type' ? `, ${check.type}` : '';
  return `${check.kind}(${columns.slice(0, 10).join(', ')}${columns.length > 10 ? ', …' : ''}${of})`;
};

/** A row as JSON, the checked columns first, as many of its columns as the length allows. */
const exampleOf = (row: Record<string, unknown>, first: string[]): string => {
  const names = [...first, ...Object.keys(row).filter((name) => !first.includes(name))];
  let kept: Record<string, unknown> = {};
  for (const name of names) {
    const value = row[name];
    const next = { ...kept, [name]: typeof value === 'string' && value.length > 100 ? `${value.slice(0, 100)}…` : value };
    if (JSON.stringify(next).length > EXAMPLE_LENGTH) break;
    kept = next;
  }
  return JSON.stringify(kept);
};

const examples = async (connection: DuckDBConnection, query: { relation: string; where: string; columns: string[] }): Promise<string[]> => {
  const reader = await connection.runAndReadAll(`SELECT * FROM ${query.relation} ${query.where} LIMIT ${EXAMPLES}`);
  return reader.getRowObjectsJson().map((row) => exampleOf(row as Record<string, unknown>, query.columns));
};

const rowCountOutcome = (rows: number, plan: Extract<PlannedCheck, { kind: 'rowCount' }>): Outcome => {
  const passed = rows >= (plan.min ?? 0) && rows <= (plan.max ?? Infinity);
  const wanted = `${plan.min ?? 0} to ${plan.max ?? 'any number of'} rows`;
  return { passed, failingRows: 0, message: `${rows} rows${passed ? '' : `; wanted are ${wanted}`}`, examples: [] };
};

/** As in SQL, rows with a null in one of the columns repeat nothing. */
const duplicatesOutcome = async (connection: DuckDBConnection, relation: string, columns: string[]): Promise<Outcome> => {
  const names = columns.map(identifier).join(', ');
  const present = columns.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ');
  const { repeated } = await rowOf<{ repeated: bigint | null }>(
    connection,
    `SELECT sum(times - 1)::BIGINT AS repeated FROM (SELECT count(*) AS times FROM ${relation} WHERE ${present} GROUP BY ${names} HAVING count(*) > 1)`,
  );
  const failingRows = Number(repeated ?? 0);
  if (failingRows === 0) return { passed: true, failingRows, message: 'no row repeats another', examples: [] };
  const where = `WHERE ${present} QUALIFY row_number() OVER (PARTITION BY ${names}) > 1 ORDER BY ${names}`;
  const quoted = columns.map((name) => `"${name}"`).join(', ');
  return { passed: false, failingRows, message: `${failingRows} rows repeat an earlier one in ${quoted}`, examples: await examples(connection, { relation, where, columns }) };
};

type Planned = { check: DataCheck; plan: PlannedCheck };

/** Counts of the failing rows of every check that looks at single rows, and of all rows. */
const countFailing = async (connection: DuckDBConnection, relation: string, planned: Planned[]): Promise<{ rows: number; failing: Map<DataCheck, number> }> => {
  const conditions = planned.flatMap(({ check, plan }) => (plan.kind === 'rows' ? [{ check, condition: plan.condition }] : []));
  const counts = conditions.map(({ condition }, index) => `, count_if(${condition}) AS n${index}`).join('');
  const row = await rowOf<Record<string, bigint>>(connection, `SELECT count(*) AS total${counts} FROM ${relation}`);
  return { rows: Number(row['total']), failing: new Map(conditions.map(({ check }, index) => [check, Number(row[`n${index}`])])) };
};

const outcomeOf = async (connection: DuckDBConnection, relation: string, planned: Planned, counted: { rows: number; failing: Map<DataCheck, number> }): Promise<Outcome> => {
  const { check, plan } = planned;
  if (plan.kind === 'verdict') return { passed: plan.passed, failingRows: 0, message: plan.message, examples: [] };
  if (plan.kind === 'rowCount') return rowCountOutcome(counted.rows, plan);
  if (plan.kind === 'duplicates') return duplicatesOutcome(connection, relation, plan.columns);
  const failingRows = counted.failing.get(check) ?? 0;
  const found = failingRows === 0 ? [] : await examples(connection, { relation, where: `WHERE ${plan.condition}`, columns: plan.columns });
  return { passed: failingRows === 0 && plan.failsAnyway === undefined, failingRows, message: plan.explain(failingRows), examples: found };
};

const checkTable = async (connection: DuckDBConnection, table: SourceTable, checks: DataCheck[]): Promise<Map<DataCheck, CheckResult>> => {
  const relation = readTable(table);
  const planned = checks.map((check) => ({ check, plan: planCheck(check, table.columns) }));
  const counted = await countFailing(connection, relation, planned);
  const results = new Map<DataCheck, CheckResult>();
  for (const item of planned) {
    const outcome = await outcomeOf(connection, relation, item, counted);
    results.set(item.check, { check: nameOf(item.check), table: table.name, severity: item.check.severity, rows: counted.rows, ...outcome });
  }
  return results;
};

const withoutTable = (check: DataCheck): CheckResult => {
  const plan = planCheck(check, undefined);
  const message = plan.kind === 'verdict' ? plan.message : '';
  return { check: nameOf(check), table: check.table, severity: check.severity, rows: 0, passed: false, failingRows: 0, message, examples: [] };
};

/** See the port DataEngine; results come in the order of the checks. */
export const runChecks = async (connection: DuckDBConnection, input: { folder: string; tables: LocalTable[]; checks: DataCheck[]; onFile: OnFile }): Promise<CheckResult[]> => {
  const results = new Map<DataCheck, CheckResult>();
  const wanted = input.tables.filter(({ name }) => input.checks.some((check) => check.table === name));
  for (const table of await sourceTables(connection, input.folder, wanted, input.onFile)) {
    input.onFile(`the files of table ${table.name}`);
    const found = await checkTable(connection, table, input.checks.filter((check) => check.table === table.name)).catch((error: unknown) => {
      throw duckdbFailure('SourceCorrupt', `the checks of table ${table.name} cannot be run`, error);
    });
    for (const [check, result] of found) results.set(check, result);
  }
  input.onFile(null);
  return input.checks.map((check) => results.get(check) ?? withoutTable(check));
};
