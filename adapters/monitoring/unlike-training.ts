/** Counts rows of a window that are unlike the training rows: numbers out of range, categories that were never seen. */
import { DOUBLE, LIST, VARCHAR, listValue, type DuckDBConnection, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import type { ColumnDistribution } from '../../contracts/features.ts';
import type { UnlikeTraining } from '../../domain/ports/monitoring.ts';

/** Clients that send 32-bit floats round: that much of the range beyond its ends is not outside. */
const ROUNDING = 1e-6;

type Query = { conditions: string[]; parameters: Record<string, DuckDBValue>; types: Record<string, DuckDBType> };

/** What is usual in a column: a range, or a set of categories; undefined where the reference does not say it. */
const usualOf = (reference: ColumnDistribution): { least: number; most: number } | { categories: string[] } | undefined => {
  if (reference.type === 'categorical') return reference.counts.at(-1) === 0 ? { categories: reference.categories } : undefined;
  const { minimum, maximum } = reference;
  if (minimum === null || maximum === null) return undefined;
  const tolerance = ROUNDING * Math.max(maximum - minimum, Math.abs(maximum), Math.abs(minimum));
  return { least: minimum - tolerance, most: maximum + tolerance };
};

/** The value as a number; null where it is none, and for NaN, which is how a missing number travels where null cannot. */
const numberOf = (index: number): string => {
  const text = `value[${index + 1}]`;
  return `nullif(coalesce(try_cast(${text} as double), try_cast(${text} as boolean)::int::double), 'nan'::double)`;
};

const addUsual = (query: Query, usual: NonNullable<ReturnType<typeof usualOf>>, index: number): void => {
  if ('categories' in usual) {
    query.parameters[`categories${index}`] = listValue(usual.categories);
    query.types[`categories${index}`] = LIST(VARCHAR);
    query.conditions.push(`coalesce(not list_contains($categories${index}, value[${index + 1}]), false) as unlike${index}`);
    return;
  }
  query.parameters[`least${index}`] = usual.least;
  query.parameters[`most${index}`] = usual.most;
  query.types[`least${index}`] = DOUBLE;
  query.types[`most${index}`] = DOUBLE;
  query.conditions.push(`coalesce(${numberOf(index)} not between $least${index} and $most${index}, false) as unlike${index}`);
};

/** One pass over the table `live`. */
export const countUnlikeTraining = async (connection: DuckDBConnection, references: readonly ColumnDistribution[]): Promise<UnlikeTraining> => {
  const query: Query = { conditions: [], parameters: {}, types: {} };
  const usual = references.map(usualOf);
  references.forEach((_, index) => {
    const known = usual[index];
    if (known !== undefined) addUsual(query, known, index);
  });
  const known = references.flatMap((_, index) => (usual[index] === undefined ? [] : [`unlike${index}`]));
  const counts = [
    `count(*) filter (where ${known.join(' or ') || 'false'}) as rows`,
    ...known.map((name) => `count(*) filter (where ${name}) as ${name}`),
  ];
  const inner = query.conditions.length === 0 ? 'select 1 from live' : `select ${query.conditions.join(', ')} from live`;
  const reader = await connection.runAndReadAll(`select ${counts.join(', ')} from (${inner})`, query.parameters, query.types);
  const [found = {}] = reader.getRowObjectsJS();
  const columns = references.map(({ column, type }, index) => {
    const unlike = usual[index] === undefined ? null : Number(found[`unlike${index}`]);
    return { column, outOfRange: type === 'numeric' ? unlike : null, unseen: type === 'categorical' ? unlike : null };
  });
  return { rows: Number(found['rows']), columns };
};
