/**
 * Distributions of columns, of any number of rows in bounded memory: those with few distinct values value by value, the others in bins that are counted
 * while the rows stream by. The bins' edges are numbers here and never text: written out, their 17 digits would be decimals and compare otherwise.
 */
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import type { ColumnDistribution, FeatureColumn, NumericDistribution } from '../../contracts/features.ts';
import { createBinCounter, edgesOfSample, exactDistribution, EXACT_VALUES, SAMPLED_ROWS, type Range } from '../../domain/drift/binning.ts';
import { comparisonEdges } from '../../domain/drift/numeric-pair.ts';
import { identifier, rowOf, rowsOf } from './database.ts';

const SAMPLE_SEED = 7;

type Column = Pick<FeatureColumn, 'name' | 'type'>;

/**
 * `relation` is a table, a view or a file with the columns as numbers and text. `reference` holds the distributions with which these are going to be
 * compared: a column with many values is then counted in their bins.
 */
export type DistributionInput = { relation: string; columns: readonly Column[]; reference?: readonly ColumnDistribution[] };

type Summary = { present: number } & Range;

/** NaN and infinity travel where null cannot, and are missing values too. */
const finite = (name: string): string => `CASE WHEN isfinite(${identifier(name)}::DOUBLE) THEN ${identifier(name)}::DOUBLE END`;

const summarise = async (connection: DuckDBConnection, relation: string, names: readonly string[]): Promise<{ rows: number; summaries: Map<string, Summary> }> => {
  const aggregates = names.flatMap((name, index) => {
    const value = finite(name);
    return [`count(${value}) AS present${index}`, `min(${value}) AS minimum${index}`, `max(${value}) AS maximum${index}`];
  });
  const row = await rowOf<Record<string, bigint | number | null>>(connection, `SELECT ${['count(*) AS rows', ...aggregates].join(', ')} FROM ${relation}`);
  const numberOf = (key: string): number => Number(row[key] ?? 0);
  const summaryOf = (index: number): Summary => ({ present: numberOf(`present${index}`), minimum: numberOf(`minimum${index}`), maximum: numberOf(`maximum${index}`) });
  return { rows: numberOf('rows'), summaries: new Map(names.map((name, index) => [name, summaryOf(index)])) };
};

/** Every value with its rows, in a query around the one that reads: a column may be called as ours are. Undefined when there are more values than a distribution keeps. */
const countValues = async (connection: DuckDBConnection, relation: string, name: string, missing: number): Promise<NumericDistribution | undefined> => {
  const groups = await rowsOf<{ value: number; rows: bigint }>(
    connection,
    `SELECT value, rows FROM (SELECT ${finite(name)} AS value, count(*) AS rows FROM ${relation} GROUP BY 1) WHERE value IS NOT NULL ORDER BY value LIMIT ${EXACT_VALUES + 1}`,
  );
  if (groups.length > EXACT_VALUES) return undefined;
  return exactDistribution(name, { values: groups.map(({ value }) => value), counts: groups.map(({ rows }) => Number(rows)), missing });
};

const countCategories = async (connection: DuckDBConnection, relation: string, { name, rows }: { name: string; rows: number }): Promise<ColumnDistribution> => {
  const groups = await rowsOf<{ category: string | null; rows: bigint }>(
    connection,
    `SELECT category, rows FROM (SELECT ${identifier(name)}::VARCHAR AS category, count(*) AS rows FROM ${relation} GROUP BY 1) ORDER BY category IS NULL DESC, rows DESC, category LIMIT ${EXACT_VALUES + 1}`,
  );
  const missing = Number(groups.find(({ category }) => category === null)?.rows ?? 0);
  const named = groups.filter(({ category }) => category !== null).slice(0, EXACT_VALUES);
  const kept = named.map((group) => Number(group.rows));
  const others = rows - missing - kept.reduce((sum, count) => sum + count, 0);
  return { type: 'categorical', column: name, categories: named.map(({ category }) => category ?? ''), counts: [...kept, others], missing };
};

const selectNumbers = (names: readonly string[], from: string): string => `SELECT ${names.map((name) => `coalesce(${identifier(name)}::DOUBLE, 'nan'::DOUBLE)`).join(', ')} FROM ${from}`;

/** Takes columns of numbers, some rows at a time. The arrays are used again for the next rows. */
const takeNumbers = async (result: DuckDBResult, take: (columns: Float64Array[]) => void): Promise<void> => {
  const buffers = Array.from({ length: result.columnCount }, () => new Float64Array(0));
  for (;;) {
    const chunk = await result.fetchChunk();
    // Asked once: it is a call into DuckDB.
    const rows = chunk?.rowCount ?? 0;
    if (chunk === null || rows === 0) return;
    take(
      buffers.map((_buffer, column) => {
        if (buffers[column]!.length < rows) buffers[column] = new Float64Array(rows);
        const buffer = buffers[column]!;
        const vector = chunk.getColumnVector(column);
        for (let row = 0; row < rows; row += 1) buffer[row] = vector.getItem(row) as number;
        return buffer.subarray(0, rows);
      }),
    );
  }
};

/** Values of about SAMPLED_ROWS rows by column, the same ones again for the same rows read by one thread. */
const sampleColumns = async (connection: DuckDBConnection, relation: string, { names, rows }: { names: readonly string[]; rows: number }): Promise<Map<string, Float64Array>> => {
  if (names.length === 0) return new Map();
  const percent = Math.min(100, (100 * SAMPLED_ROWS) / Math.max(1, rows));
  const parts: Float64Array[][] = names.map(() => []);
  const from = `(SELECT * FROM (SELECT ${names.map(identifier).join(', ')} FROM ${relation}) USING SAMPLE ${percent} PERCENT (bernoulli, ${SAMPLE_SEED}))`;
  // Collected and not streamed: a stream would give a chunk for every 2,048 rows that were read, with room for as many and hardly a row in it.
  const sampled = await connection.run(selectNumbers(names, from));
  await takeNumbers(sampled, (columns) => columns.forEach((values, index) => parts[index]!.push(values.filter(Number.isFinite))));
  return new Map(names.map((name, index) => [name, joinParts(parts[index]!)]));
};

const joinParts = (parts: readonly Float64Array[]): Float64Array => {
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
};

type Many = { names: readonly string[]; summaries: ReadonlyMap<string, Summary>; samples: ReadonlyMap<string, Float64Array>; reference: readonly ColumnDistribution[] };

/** Those of the reference, or new ones. */
const edgesFor = (name: string, { summaries, samples, reference }: Many): number[] => {
  const range = summaries.get(name)!;
  const compared = reference.find(({ column, type }) => column === name && type === 'numeric');
  return compared?.type === 'numeric' ? comparisonEdges(compared, range) : edgesOfSample(samples.get(name)!, range);
};

/** One pass over the rows for all columns with many values. */
const countBins = async (connection: DuckDBConnection, relation: string, many: Many): Promise<NumericDistribution[]> => {
  if (many.names.length === 0) return [];
  const counters = many.names.map((name) => createBinCounter(edgesFor(name, many)));
  await takeNumbers(await connection.stream(selectNumbers(many.names, relation)), (columns) => columns.forEach((values, index) => counters[index]!.add(values)));
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
  const samples = await sampleColumns(connection, relation, { names: numeric, rows });
  const found = new Map<string, ColumnDistribution>();
  for (const { name, type } of columns) {
    if (type === 'categorical') found.set(name, await countCategories(connection, relation, { name, rows }));
    // The values of a sample are some of all: more than can be kept in it settles the matter.
    else if (new Set(samples.get(name)).size <= EXACT_VALUES) {
      const exact = await countValues(connection, relation, name, rows - summaries.get(name)!.present);
      if (exact !== undefined) found.set(name, exact);
    }
  }
  const names = numeric.filter((name) => !found.has(name));
  for (const distribution of await countBins(connection, relation, { names, summaries, samples, reference })) found.set(distribution.column, distribution);
  return columns.map(({ name }) => {
    const distribution = found.get(name)!;
    requireWhole(distribution, rows);
    return distribution;
  });
};
