/** Distributions of the training rows, to which live rows are compared later. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeatureColumn, ReferenceDistribution } from '../../contracts/features.ts';
import { identifier, rowOf, rowsOf } from './database.ts';

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const KEPT_CATEGORIES = 50;

/** A histogram that lost rows would look like drift for ever. */
const requireWhole = (column: string, counts: number[], missing: number, rows: number): void => {
  const counted = counts.reduce((sum, count) => sum + count, missing);
  if (counted !== rows) throw new Error(`the reference distribution of "${column}" counts ${counted} of ${rows} rows`);
};

/** Inner edges are deciles that occur in the data; the largest value is no edge, or the last bin would be empty by construction. */
const numericReference = async (connection: DuckDBConnection, relation: string, column: string): Promise<ReferenceDistribution> => {
  const name = identifier(column);
  type Found = { deciles: { items: number[] } | number[] | null; bottom: number | null; top: number | null; rows: bigint; missing: bigint };
  const { deciles, bottom, top, rows, missing } = await rowOf<Found>(
    connection,
    `SELECT quantile_disc(${name}, [${DECILES.join(', ')}]) AS deciles, min(${name})::DOUBLE AS bottom, max(${name})::DOUBLE AS top, count(*) AS rows, count(*) - count(${name}) AS missing FROM ${relation}`,
  );
  const values = deciles === null ? [] : Array.isArray(deciles) ? deciles : deciles.items;
  const edges = [...new Set(values)].filter((edge) => top === null || edge < top).sort((left, right) => left - right);
  // The edges go in as parameters: written out, their 17 digits would be decimals and compare otherwise.
  const above = edges.map((_edge, index) => `count_if(${name}::DOUBLE > $${index + 1}::DOUBLE) AS above${index}`);
  const found = edges.length === 0 ? {} : await rowOf<Record<string, bigint>>(connection, `SELECT ${above.join(', ')} FROM ${relation}`, edges);
  const cumulative = [Number(rows) - Number(missing), ...edges.map((_edge, index) => Number(found[`above${index}`])), 0];
  const counts = cumulative.slice(0, -1).map((count, index) => count - (cumulative[index + 1] ?? 0));
  requireWhole(column, counts, Number(missing), Number(rows));
  return { type: 'numeric', column, edges, counts, missing: Number(missing), minimum: bottom, maximum: top };
};

const categoricalReference = async (connection: DuckDBConnection, relation: string, column: string): Promise<ReferenceDistribution> => {
  const name = identifier(column);
  const groups = await rowsOf<{ category: string; rows: bigint }>(
    connection,
    `SELECT ${name} AS category, count(*) AS rows FROM ${relation} WHERE ${name} IS NOT NULL GROUP BY 1 ORDER BY rows DESC, category LIMIT ${KEPT_CATEGORIES}`,
  );
  const total = await rowOf<{ rows: bigint; missing: bigint }>(connection, `SELECT count(*) AS rows, count(*) - count(${name}) AS missing FROM ${relation}`);
  const [rows, missing] = [Number(total.rows), Number(total.missing)];
  const kept = groups.map((group) => Number(group.rows));
  const counts = [...kept, rows - missing - kept.reduce((sum, count) => sum + count, 0)];
  requireWhole(column, counts, missing, rows);
  return { type: 'categorical', column, categories: groups.map((group) => group.category), counts, missing };
};

/** One distribution for each feature, in their order. `relation` may be a table, a view or a file. */
export const referenceOf = async (connection: DuckDBConnection, relation: string, columns: FeatureColumn[]): Promise<ReferenceDistribution[]> => {
  const references: ReferenceDistribution[] = [];
  for (const { name, type } of columns) {
    references.push(await (type === 'numeric' ? numericReference : categoricalReference)(connection, relation, name));
  }
  return references;
};
