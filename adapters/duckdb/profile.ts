/**
 * The profile of a table: one pass over its files that estimates, and a second that counts, in exact bins and for exact frequent values. Memory does not grow with
 * the rows. Columns are called by their number here: a user's column may be called as anything of ours.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnKind, ColumnProfile, NumberProfile, ProfileHistogram } from '../../contracts/dataset-profile.ts';
import { distinctOf, distinctSql } from './distinct-estimate.ts';
import { identifier, literal, rowOf, type Column } from './database.ts';
import { readTable, type SourceTable } from './source-tables.ts';

/** A wide table gets coarser profiles: they are kept, as a whole, in one row of the database. */
const WIDE = 200;
const COLUMNS_AT_ONCE = 100;
const TEXT_LENGTH = 200;
const SAMPLED_ROWS = 200_000;
const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

type Resolution = { bins: number; top: number };
type Profiled = { column: Column; kind: ColumnKind; rows: number; nulls: number };
type Value = number | string;
type Summary = { count: number; distinct: number; minimum: Value | null; maximum: Value | null; mean: number | null; quantiles: number[]; candidates: Value[] };
type Counted = { bins: Map<number, number>; top: Map<string, number> };

const NUMBER = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const TIME = /^(DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/;
const TEXT = /^(VARCHAR|BOOLEAN|UUID|TIME|INTERVAL|JSON|ENUM\(.*\))$/s;

const kindOf = (type: string): ColumnKind => (NUMBER.test(type) ? 'number' : TIME.test(type) ? 'time' : TEXT.test(type) ? 'text' : 'other');

/** A column as DOUBLE (times in milliseconds), or as text of bounded length. */
const valueOf = ({ column, kind }: Profiled): string => {
  const name = identifier(column.name);
  if (kind === 'text') return `left(${name}::VARCHAR, ${TEXT_LENGTH})`;
  if (kind === 'time') return `CASE WHEN isfinite(${name}) THEN epoch_ms(${name})::DOUBLE END`;
  return `CASE WHEN isfinite(${name}::DOUBLE) THEN ${name}::DOUBLE END`;
};

/** `sampled` is true in about SAMPLED_ROWS rows: from them come the edges of the bins and the candidates for frequent values, and then all rows are counted. */
const relationOf = (table: SourceTable, columns: Profiled[]): string => {
  const share = Math.min(1, SAMPLED_ROWS / Math.max(1, columns[0]?.rows ?? 0));
  return `(SELECT ${columns.map((column, index) => `${valueOf(column)} AS c${index}`).join(', ')}, random() < ${share} AS sampled FROM ${readTable(table)})`;
};

/** The points of the cumulative distribution that become edges, and the shares that are shown. */
const pointsOf = (bins: number): number[] => [...Array.from({ length: bins - 1 }, (_unused, index) => (index + 1) / bins), ...SHARES];

const summarySql = ({ kind }: Profiled, index: number, { bins, top }: Resolution): string => {
  const name = `c${index}`;
  const sampled = `CASE WHEN sampled THEN ${name} END`;
  const common = [`count(${name}) AS count${index}`, distinctSql(name, `distinct${index}`), `approx_top_k(${sampled}, ${top}) AS top${index}`];
  if (kind === 'text') return common.join(', ');
  const numbers = [`min(${name}) AS minimum${index}`, `max(${name}) AS maximum${index}`, `avg(${name}) AS mean${index}`, `approx_quantile(${sampled}, [${pointsOf(bins).join(', ')}]) AS quantiles${index}`];
  return [...common, ...numbers].join(', ');
};

const summarise = async (connection: DuckDBConnection, relation: string, columns: Profiled[], resolution: Resolution): Promise<Summary[]> => {
  const row = await rowOf<Record<string, unknown>>(connection, `SELECT ${columns.map((column, index) => summarySql(column, index, resolution)).join(', ')} FROM ${relation}`);
  const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  return columns.map((_column, index) => ({
    count: Number(row[`count${index}`]),
    distinct: distinctOf(row[`distinct${index}`] as (bigint | null)[]),
    minimum: (row[`minimum${index}`] as Value | null | undefined) ?? null,
    maximum: (row[`maximum${index}`] as Value | null | undefined) ?? null,
    mean: finite(row[`mean${index}`]),
    quantiles: (row[`quantiles${index}`] as number[] | null | undefined) ?? [],
    candidates: ((row[`top${index}`] as (Value | null)[] | null) ?? []).filter((value) => value !== null),
  }));
};

/** Rising edges that end with the maximum. */
const edgesOf = ({ quantiles, minimum, maximum }: Summary, { bins }: Resolution): number[] => {
  if (typeof minimum !== 'number' || typeof maximum !== 'number') return [];
  const inner = quantiles.slice(0, bins - 1).filter((edge) => Number.isFinite(edge) && edge >= minimum && edge < maximum);
  return [...new Set([...inner, maximum])].sort((left, right) => left - right);
};

/** As text that is cast: a bare number of 17 digits would be a DECIMAL, and compare otherwise. */
const constant = (value: Value): string => (typeof value === 'number' ? `${literal(String(value))}::DOUBLE` : literal(value));

const countSql = (index: number, edges: number[], candidates: Value[]): string[] => [
  ...(edges.length === 0 ? [] : [`histogram(c${index}, [${edges.map(constant).join(', ')}]) AS bins${index}`]),
  ...(candidates.length === 0 ? [] : [`histogram(CASE WHEN c${index} IN (${candidates.map(constant).join(', ')}) THEN c${index} END) AS top${index}`]),
];

type Entries<Key> = { key: Key; value: bigint }[];

const count = async (connection: DuckDBConnection, relation: string, asked: { edges: number[]; candidates: Value[] }[]): Promise<Counted[]> => {
  const aggregates = asked.flatMap(({ edges, candidates }, index) => countSql(index, edges, candidates));
  if (aggregates.length === 0) return asked.map(() => ({ bins: new Map(), top: new Map() }));
  const row = await rowOf<Record<string, unknown>>(connection, `SELECT ${aggregates.join(', ')} FROM ${relation}`);
  const entries = <Key>(name: string): Entries<Key> => (row[name] as Entries<Key> | null | undefined) ?? [];
  return asked.map((_asked, index) => ({
    bins: new Map(entries<number>(`bins${index}`).map(({ key, value }) => [key, Number(value)])),
    top: new Map(entries<Value>(`top${index}`).map(({ key, value }) => [String(key), Number(value)])),
  }));
};

const histogramOf = (name: string, edges: number[], { bins }: Counted, count: number): ProfileHistogram => {
  const counts = edges.map((edge) => bins.get(edge) ?? 0);
  const counted = counts.reduce((sum, some) => sum + some, 0);
  if (counted !== count) throw new Error(`the histogram of "${name}" counts ${counted} of ${count} values`);
  return { edges, counts };
};

const numbersOf = ({ column, rows, nulls }: Profiled, summary: Summary, counted: Counted, { edges, resolution }: { edges: number[]; resolution: Resolution }): NumberProfile | null => {
  const { minimum, maximum, mean, quantiles } = summary;
  if (typeof minimum !== 'number' || typeof maximum !== 'number') return null;
  const within = (value: number): number => Math.min(maximum, Math.max(minimum, value));
  const shown = SHARES.map((share, index) => ({ share, value: within(quantiles[resolution.bins - 1 + index] ?? minimum) }));
  return { minimum, maximum, mean, notFinite: rows - nulls - summary.count, quantiles: shown, histogram: histogramOf(column.name, edges, counted, summary.count) };
};

const shownValue = (kind: ColumnKind, value: string): string => {
  if (kind !== 'time') return value;
  const date = new Date(Number(value));
  return Number.isNaN(date.getTime()) ? value : date.toISOString();
};

/** A value that is there once is not frequent, unless everything is. */
const topOf = (kind: ColumnKind, { top }: Counted, distinct: number): ColumnProfile['top'] =>
  [...top]
    .filter(([, count]) => count > 1 || distinct <= top.size)
    .map(([value, count]) => ({ value: shownValue(kind, value), count }))
    .sort((left, right) => right.count - left.count || (left.value < right.value ? -1 : 1));

const profileSome = async (connection: DuckDBConnection, table: SourceTable, columns: Profiled[], resolution: Resolution): Promise<ColumnProfile[]> => {
  if (columns.length === 0) return [];
  const relation = relationOf(table, columns);
  const summaries = await summarise(connection, relation, columns, resolution);
  const asked = summaries.map((summary) => ({ edges: edgesOf(summary, resolution), candidates: summary.candidates }));
  const counted = await count(connection, relation, asked);
  return columns.map((profiled, index) => {
    const [summary, found, { edges }] = [summaries[index]!, counted[index]!, asked[index]!];
    const { column, kind, rows, nulls } = profiled;
    // The estimate may go over what is possible.
    const distinct = Math.min(summary.distinct, summary.count);
    return { column: column.name, kind, count: rows - nulls, nulls, distinct, numbers: kind === 'text' ? null : numbersOf(profiled, summary, found, { edges, resolution }), top: topOf(kind, found, distinct) };
  });
};

const chunksOf = <T>(values: T[], size: number): T[][] => Array.from({ length: Math.ceil(values.length / size) }, (_unused, index) => values.slice(index * size, (index + 1) * size));

/** Profiles of all columns in their order; rows and nulls were counted before. */
export const profileTable = async (connection: DuckDBConnection, table: SourceTable, counted: { rows: number; nulls: number[] }): Promise<ColumnProfile[]> => {
  const columns = table.columns.map((column, index): Profiled => ({ column, kind: kindOf(column.type), rows: counted.rows, nulls: counted.nulls[index] ?? 0 }));
  const resolution: Resolution = columns.length > WIDE ? { bins: 10, top: 5 } : { bins: 50, top: 20 };
  const found = new Map<string, ColumnProfile>();
  for (const some of chunksOf(columns.filter(({ kind }) => kind !== 'other'), COLUMNS_AT_ONCE)) {
    for (const profile of await profileSome(connection, table, some, resolution)) found.set(profile.column, profile);
  }
  return columns.map(({ column, kind, rows, nulls }) => found.get(column.name) ?? { column: column.name, kind, count: rows - nulls, nulls, distinct: 0, numbers: null, top: [] });
};
