/** Divides checks among processes: those on rows share one, each SQL of a user has its own. */
import type { CheckResult } from '../../../contracts/check-report.ts';
import type { FileCheck } from '../../../contracts/data-check.ts';
import { nameOfCheck } from '../../../domain/check-names.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import type { LocalTable } from '../../../domain/ports/data-engine.ts';
import type { CustomSqlInput, CustomSqlResult } from './custom-sql.ts';
import type { RowCheck } from './plan.ts';

type Task = { task: 'check'; tables: LocalTable[]; checks: RowCheck[]; atMs: number } | { task: 'customSql'; input: CustomSqlInput };
type Perform = <Result>(task: Task) => Promise<Result>;
type SqlCheck = Extract<FileCheck, { kind: 'sql' }>;

const isSql = (check: FileCheck): check is SqlCheck => check.kind === 'sql';

const checkSql = async (check: SqlCheck, tables: LocalTable[], perform: Perform): Promise<CheckResult> => {
  const base = { check: nameOfCheck(check), table: check.table, severity: check.severity };
  try {
    const { failingRows, rows, examples } = await perform<CustomSqlResult>({ task: 'customSql', input: { tables, sql: check.sql, table: check.table } });
    return { ...base, passed: failingRows === 0, failingRows, rows, share: rows === 0 ? 0 : failingRows / rows, message: failingRows === 0 ? 'the SQL gives no row' : `the SQL gives ${failingRows} rows`, examples };
  } catch (error) {
    // An outage is tried again; a query that cannot run is a check that has failed.
    if (!(error instanceof PerennialFailure) || error.retryable) throw error;
    return { ...base, passed: false, failingRows: 0, rows: 0, share: 0, message: `cannot run: ${error.message.replaceAll('the feature SQL', 'the SQL')}`, examples: [] };
  }
};

export const checkFiles = async ({ tables, checks, atMs }: { tables: LocalTable[]; checks: FileCheck[]; atMs: number }, perform: Perform): Promise<CheckResult[]> => {
  const onRows = checks.filter((check): check is RowCheck => !isSql(check));
  const results = new Map<FileCheck, CheckResult>();
  if (onRows.length > 0) {
    const found = await perform<CheckResult[]>({ task: 'check', tables, checks: onRows, atMs });
    onRows.forEach((check, index) => results.set(check, found[index]!));
  }
  for (const check of checks.filter(isSql)) results.set(check, await checkSql(check, tables, perform));
  return checks.map((check) => results.get(check)!);
};
