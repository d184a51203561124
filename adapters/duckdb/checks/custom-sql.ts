/** A check that a user wrote as SQL: a SELECT, locked in as feature SQL is, that gives the failing rows. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckExample } from '../../../contracts/check-report.ts';
import type { LocalTable } from '../../../domain/ports/data-engine.ts';
import { loadTables, withDatabase } from '../build-features.ts';
import { columnsOf, identifier, rowOf, type DatabaseSettings } from '../database.ts';
import { RESULT_TABLE, runLocked, type QueryLimits } from '../locked-query.ts';
import type { OnFile } from '../source-tables.ts';
import { EXAMPLES, valuesText, type FoundRow } from './examples.ts';

export type CustomSqlInput = { tables: LocalTable[]; sql: string; table: string };
export type CustomSqlResult = { failingRows: number; rows: number; examples: CheckExample[] };

/** Where any column is masked, every value of the result is: the query may have given it another name. */
const showRows = (rows: FoundRow[], names: string[], tables: LocalTable[]): CheckExample[] => {
  const isMasked = tables.some(({ masked = [] }) => masked.length > 0);
  const columns = names.map((name, index) => ({ name, type: '', sql: `c${index}` }));
  return rows.map((row) => ({ file: null, row: null, values: valuesText(row, columns, new Set(isMasked ? names : [])) }));
};

export const runCustomSql = async (settings: DatabaseSettings, input: CustomSqlInput, call: { limits: QueryLimits; onFile: OnFile }): Promise<CustomSqlResult> => {
  const folder = join(settings.folder, 'sql');
  mkdirSync(folder);
  const own = { ...settings, folder };
  await withDatabase(own, (connection) => loadTables(connection, { folder, tables: input.tables, onFile: call.onFile }));
  await runLocked(own, { sql: input.sql, tables: input.tables.map(({ name }) => name), limits: call.limits });
  return withDatabase(own, async (connection) => {
    const names = (await columnsOf(connection, RESULT_TABLE)).map(({ name }) => name);
    const { failing } = await rowOf<{ failing: bigint }>(connection, `SELECT count(*) AS failing FROM ${RESULT_TABLE}`);
    const { total } = await rowOf<{ total: bigint }>(connection, `SELECT count(*) AS total FROM ${identifier(input.table)}`);
    const selected = names.map((name, index) => `${identifier(name)} AS c${index}`).join(', ');
    const rows = (await connection.runAndReadAll(`SELECT ${selected} FROM ${RESULT_TABLE} LIMIT ${EXAMPLES}`)).getRowObjectsJson();
    return { failingRows: Number(failing), rows: Number(total), examples: showRows(rows, names, input.tables) };
  });
};
