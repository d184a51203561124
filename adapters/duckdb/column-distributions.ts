/**
 * Distributions of columns, of any number of rows in bounded memory: those with few distinct values value by value, the others in bins that are counted
 * while the rows stream by. The bins' edges are numbers here and never text: written out, their 17 digits would be decimals and compare otherwise.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnDistribution, FeatureColumn, NumericDistribution } from '../../contracts/features.ts';
import { createBinCounter, edgesOfSample, exactDistribution, EXACT_VALUES, SAMPLED_ROWS, type Range } from '../../domain/drift/binning.ts';
import { comparisonEdges } from '../../domain/drift/numeric-pair.ts';
import { identifier, rowOf, rowsOf } from './database.ts';

/** The approximate number of distinct values errs by a few percent; what is counted then is exact. */
const NEARLY = 1.2;
const SAMPLE_SEED = 7;

type Column = Pick<FeatureColumn, 'name' | 'type'>;

/**
 * `relation` is a table, a view or a file with the columns as numbers and text. `reference` holds the distributions with which these are going to be
 * compared: a column with many values is then counted in their bins.
 */
export type DistributionInput = { relation: string; columns: readonly Column[]; reference?: readonly ColumnDistribution[] };

type Summary = { present: number; distinct: number; minimum: number | null; maximum: number | null };

/** NaN and infinity travel where null cannot, and are missing values too. */
const finite = (name: string): string => `CASE WHEN isfinite(${identifier(name)}::DOUBLE) THEN ${identifier(name)}::DOUBLE END`;

const summarise = async (connection: DuckDBConnection, relation: string, names: readonly string[]): Promise<{ rows: number; summaries: Map<string, Summary> }> => {
  const aggregates = names.flatMap((name, index) => {
    const value = finite(name);
    return [`count(${value}) AS present${index}`, `approx_count_distinct(${value}) AS distinct${index}`, `min(${value}) AS minimum${index}`, `max(${value}) AS maximum${index}`];
  });
  const row = await rowOf<Record<string, bigint | number | null>>(connection, `SELECT ${['count(*) AS rows', ...aggregates].join(', ')} FROM ${relation}`);
  const numberOf = (key: string): number | null => (row[key] === null || row[key] === undefined ? null : Number(row[key]));
  const summaryOf = (index: number): Summary => ({ present: numberOf(`present${index}`) ?? 0, distinct: numberOf(`distinct${index}`) ?? 0, minimum: numberOf(`minimum${index}`), maximum: numberOf(`maximum${index}`) });
  return { rows: Number(row['rows']), summaries: new Map(names.map((name, index) => [name, summaryOf(index)])) };
};

/** Every value with its rows; undefined when there are more values than a distribution keeps. */
const countValues = async (connection: DuckDBConnection, relation: string, name: string, missing: number): Promise<NumericDistribution | undefined> => {
  const groups = await rowsOf<{ value: number; rows: bigint }>(
    connection,
    `SELECT ${finite(name)} AS value, count(*) AS rows FROM ${relation} GROUP BY 1 HAVING value IS NOT NULL ORDER BY value LIMIT ${EXACT_VALUES + 1}`,
  );
  if (groups.length > EXACT_VALUES) return undefined;
  return exactDistribution(name, { values: groups.map(({ value }) => value), counts: groups.map(({ rows }) => Number(rows)), missing });
};

const countCategories = async (connection: DuckDBConnection, relation: string, { name, rows }: { name: string; rows: number }): Promise<ColumnDistribution> => {
  const column = identifier(name);
  const groups = await rowsOf<{ category: string; rows: bigint }>(
    connection,
    `SELECT ${column}::VARCHAR AS category, count(*) AS rows FROM ${relation} WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY rows DESC, category LIMIT ${EXACT_VALUES}`,
  );
  const { missing } = await rowOf<{ missing: bigint }>(connection, `SELECT count(*) - count(${column}) AS missing FROM ${relation}`);
  const kept = groups.map((group) => Number(group.rows));
  const others = rows - Number(missing) - kept.reduce((sum, count) => sum + count, 0);
  return { type: 'categorical', column: name, categories: groups.map(({ category }) => category), counts: [...kept, others], missing: Number(missing) };
};

/** Streams columns of numbers, null as NaN, some rows at a time. The arrays are used again for the next rows. */
const streamNumbers = async (connection: DuckDBConnection, { from, names }: { from: string; names: readonly string[] }, take: (columns: Float64Array[]) => void): Promise<void> => {
  const select = names.map((name) => `coalesce(${identifier(name)}::DOUBLE, 'nan'::DOUBLE)`);
  const result = await connection.stream(`SELECT ${select.join(', ')} FROM ${from}`);
  const buffers = names.map(() => new Float64Array(0));
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const columns = names.map((_name, column) => {
      if (buffers[column]!.length < chunk.rowCount) buffers[column] = new Float64Array(chunk.rowCount);
      const buffer = buffers[column]!;
      const vector = chunk.getColumnVector(column);
      for (let row = 0; row < chunk.rowCount; row += 1) buffer[row] = vector.getItem(row) as number;
      return buffer.subarray(0, chunk.rowCount);
    });
    take(columns);
  }
};

/** Values of about SAMPLED_ROWS rows by column, the same ones again for the same rows read by one thread. */
const sampleColumns = async (connection: DuckDBConnection, relation: string, { names, rows }: { names: readonly string[]; rows: number }): Promise<Float64Array[]> => {
  const percent = Math.min(100, (100 * SAMPLED_ROWS) / Math.max(1, rows));
  const parts: Float64Array[][] = names.map(() => []);
  const from = `(SELECT * FROM (SELECT ${names.map(identifier).join(', ')} FROM ${relation}) USING SAMPLE ${percent} PERCENT (bernoulli, ${SAMPLE_SEED}))`;
  await streamNumbers(connection, { from, names }, (columns) => columns.forEach((values, index) => parts[index]!.push(values.filter(Number.isFinite))));
  return parts.map((chunks) => {
    const values = new Float64Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      values.set(chunk, at);
      at += chunk.length;
    }
    return values;
  });
};

type Many = { names: readonly string[]; rows: number; summaries: ReadonlyMap<string, Summary>; reference: readonly ColumnDistribution[] };

const chooseEdges = async (connection: DuckDBConnection, relation: string, { names, rows, summaries, reference }: Many): Promise<Map<string, number[]>> => {
  const edges = new Map<string, number[]>();
  const rangeOf = (name: string): Range => ({ minimum: summaries.get(name)?.minimum ?? 0, maximum: summaries.get(name)?.maximum ?? 0 });
  for (const distribution of reference) {
    const { column, type } = distribution;
    if (type === 'numeric' && names.includes(column)) edges.set(column, comparisonEdges(distribution, rangeOf(column)));
  }
  const unknown = names.filter((name) => !edges.has(name));
  if (unknown.length === 0) return edges;
  const samples = await sampleColumns(connection, relation, { names: unknown, rows });
  unknown.forEach((name, index) => edges.set(name, edgesOfSample(samples[index]!, rangeOf(name))));
  return edges;
};

/** One pass over the rows for all columns with many values. */
const countBins = async (connection: DuckDBConnection, relation: string, many: Many): Promise<NumericDistribution[]> => {
  if (many.names.length === 0) return [];
  const edges = await chooseEdges(connection, relation, many);
  const counters = many.names.map((name) => createBinCounter(edges.get(name) ?? []));
  await streamNumbers(connection, { from: relation, names: many.names }, (columns) => columns.forEach((values, index) => counters[index]!.add(values)));
  return counters.map((counter, index) => counter.result(many.names[index]!));
};

/** A distribution that lost rows would look like drift for ever. */
const requireWhole = ({ column, counts, missing }: ColumnDistribution, rows: number): void => {
  const counted = counts.reduce((sum, count) => sum + count, missing);
  if (counted !== rows) throw new Error(`the distribution of "${column}" counts ${counted} of ${rows} rows`);
};

/**
 * One distribution for each column, in their order.
 * @throws Error when a column does not hold numbers or text, or rows were lost
 */
export const columnDistributions = async (connection: DuckDBConnection, { relation, columns, reference = [] }: DistributionInput): Promise<ColumnDistribution[]> => {
  const numeric = columns.filter(({ type }) => type === 'numeric').map(({ name }) => name);
  const { rows, summaries } = await summarise(connection, relation, numeric);
  const found = new Map<string, ColumnDistribution>();
  for (const { name, type } of columns) {
    const summary = summaries.get(name);
    if (type === 'categorical') found.set(name, await countCategories(connection, relation, { name, rows }));
    else if (summary !== undefined && summary.distinct <= EXACT_VALUES * NEARLY) {
      const exact = await countValues(connection, relation, name, rows - summary.present);
      if (exact !== undefined) found.set(name, exact);
    }
  }
  const names = numeric.filter((name) => !found.has(name));
  for (const distribution of await countBins(connection, relation, { names, rows, summaries, reference })) found.set(distribution.column, distribution);
  return columns.map(({ name }) => {
    const distribution = found.get(name)!;
    requireWhole(distribution, rows);
    return distribution;
  });
};
