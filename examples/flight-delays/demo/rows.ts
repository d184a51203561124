/** Real flights as inference requests: the pipeline's own feature SQL over the monthly partitions. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { LabelledRow } from './traffic.ts';

export type RowSource = { exampleFolder: string; features: { sql: string; identity: string[]; label: string; columns: { name: string; type: string }[] } };

const listOf = (folder: string, months: string[]): string => `[${months.map((month) => `'${join(folder, `${month}.parquet`)}'`).join(', ')}]`;

/**
 * At most `limit` rows of one month, in an order that is shuffled but always the same, so that a few rows stand for the month.
 * Rows whose truth is unknown (cancelled flights) are left out.
 */
export const rowsOfMonth = async (source: RowSource, month: string, limit: number): Promise<LabelledRow[]> => {
  const data = join(source.exampleFolder, 'data');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const table of ['flights', 'weather']) {
      await connection.run(`create view ${table} as select * from read_parquet(${listOf(join(data, table), [month])})`);
    }
    await connection.run(`create view planes as select * from read_parquet('${join(data, 'planes', 'planes.parquet')}')`);
    const { sql, identity, label, columns } = source.features;
    const selected = columns.map(({ name, type }) => (type === 'numeric' ? `cast("${name}" as float) as "${name}"` : `"${name}"`)).join(', ');
    const reader = await connection.runAndReadAll(
      `select ${identity.map((name) => `"${name}"`).join(` || '/' || `)}::varchar as row_identity, "${label}"::double as row_label, ${selected}
       from (${sql}) where "${label}" is not null order by hash(row_identity) limit ${limit}`,
    );
    return reader.getRowObjectsJS().map((row) => toLabelledRow(row, columns.map(({ name }) => name)));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

const toLabelledRow = (row: Record<string, unknown>, columns: string[]): LabelledRow => ({
  id: String(row['row_identity']),
  label: Number(row['row_label']),
  inputs: Object.fromEntries(columns.map((name) => [name, asInput(row[name])])),
});

const asInput = (value: unknown): number | string | null => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
};
