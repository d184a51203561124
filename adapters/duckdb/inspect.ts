/** Reads every value of every file once: rows, nulls, and whether it can be read at all. Then the profile of each table is taken. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnProfile } from '../../contracts/dataset-profile.ts';
import type { DataEngine, LocalTable } from '../../domain/ports/data-engine.ts';
import { identifier, rowOf } from './database.ts';
import { duckdbFailure } from './failure.ts';
import { profileTable } from './profile.ts';
import { readTable, sourceTables, type LinkedFile, type OnFile, type SourceTable } from './source-tables.ts';

type Inspected = Awaited<ReturnType<DataEngine['inspect']>>[number];

/** Counting alone would skip most of the bytes; the hash makes DuckDB decode them, so that damage shows now and not in the feature query. */
const inspectFile = async (connection: DuckDBConnection, table: SourceTable, file: LinkedFile): Promise<{ rows: number; nulls: number[] }> => {
  const names = table.columns.map(({ name }) => identifier(name));
  const counts = names.map((name, index) => `count(*) - count(${name}) AS n${index}`).join(', ');
  try {
    const row = await rowOf<Record<string, bigint>>(connection, `SELECT count(*) AS total, ${counts}, bit_xor(hash(${names.join(', ')})) AS decoded FROM ${readTable(table, [file])}`);
    return { rows: Number(row['total']), nulls: names.map((_name, index) => Number(row[`n${index}`])) };
  } catch (error) {
    throw duckdbFailure('SourceCorrupt', `${file.path} cannot be read as ${table.format}`, error);
  }
};

/** What may be said of a column whose values are shown nowhere. */
const hidden = (profile: ColumnProfile): ColumnProfile => ({ ...profile, kind: 'other', numbers: null, top: [] });

const inspectTable = async (connection: DuckDBConnection, table: SourceTable, { masked, onFile }: { masked: ReadonlySet<string>; onFile: OnFile }): Promise<Inspected> => {
  const rowsPerFile: number[] = [];
  const nulls = table.columns.map(() => 0);
  for (const file of table.files) {
    onFile(file.path);
    const inspected = await inspectFile(connection, table, file);
    rowsPerFile.push(inspected.rows);
    inspected.nulls.forEach((count, index) => {
      nulls[index] = (nulls[index] ?? 0) + count;
    });
  }
  const rows = rowsPerFile.reduce((sum, count) => sum + count, 0);
  onFile(`the files of table ${table.name}`);
  const profile = await profileTable(connection, table, { rows, nulls }).catch((error: unknown) => {
    throw duckdbFailure('SourceCorrupt', `the profile of table ${table.name} cannot be taken`, error);
  });
  onFile(null);
  const columns = table.columns.map((column, index) => ({ ...column, nulls: nulls[index] ?? 0 }));
  return { name: table.name, rows, columns, rowsPerFile, profile: profile.map((one) => (masked.has(one.column) ? hidden(one) : one)) };
};

/** See the port DataEngine. */
export const inspectTables = async (connection: DuckDBConnection, input: { folder: string; tables: LocalTable[]; onFile: OnFile }): Promise<Inspected[]> => {
  const tables = await sourceTables(connection, input.folder, input.tables, input.onFile);
  const inspected: Inspected[] = [];
  for (const [index, table] of tables.entries()) inspected.push(await inspectTable(connection, table, { masked: new Set(input.tables[index]?.masked), onFile: input.onFile }));
  return inspected;
};
