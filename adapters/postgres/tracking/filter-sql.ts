/** Compiles a filter and an order to SQL. Every value and key travels as a parameter. */
import { sql, type RawBuilder } from 'kysely';
import type { Comparator, Filter, Test } from '../../../domain/tracking/search-filter.ts';
import type { Order } from '../../../domain/tracking/search-order.ts';
import type { Subject } from '../../../domain/tracking/search-targets.ts';

type Fragment = RawBuilder<unknown>;

/** Where the things of a search lie. */
export type SearchTables = {
  /** The key of a row, such as `r.run_id`, and the same in the tables of keys and values. */
  id: Fragment;
  ownId: Fragment;
  attributes: Readonly<Record<string, Fragment>>;
  /** Tables of (id, key, value). */
  values: Partial<Record<'metric' | 'param' | 'tag', Fragment>>;
  /** A condition on a row's data sets. */
  dataset?: (key: string, test: (value: Fragment) => Fragment) => Fragment;
  /** Rows without a tag match `!=` and NOT IN (the registry), or do not (runs): as with MLflow. */
  absentDiffers: boolean;
};

const COMPARATORS: Record<Comparator, Fragment> = {
  '=': sql`=`, '!=': sql`<>`, '<': sql`<`, '<=': sql`<=`, '>': sql`>`, '>=': sql`>=`, LIKE: sql`like`, ILIKE: sql`ilike`,
};

const isPattern = (test: Test): boolean => 'comparator' in test && (test.comparator === 'LIKE' || test.comparator === 'ILIKE');

/** Texts are compared by their bytes, whatever the locale of the database. */
const applyTest = (value: Fragment, test: Test): Fragment => {
  if ('isNull' in test) return test.isNull ? sql`${value} is null` : sql`${value} is not null`;
  if ('among' in test) return test.negated ? sql`${value} <> all(${test.among}::text[])` : sql`${value} = any(${test.among}::text[])`;
  const compared = sql`${value} ${COMPARATORS[test.comparator]} ${test.value}`;
  return isPattern(test) ? sql`${compared} escape ''` : compared;
};

const isDifference = (test: Test): boolean => ('comparator' in test && test.comparator === '!=') || ('among' in test && test.negated);
const opposite = (test: Test): Test => ('among' in test ? { ...test, negated: false } : { comparator: '=', value: (test as { value: string }).value });

/** The index on values holds their beginnings. */
const withBeginning = (test: Test, condition: Fragment): Fragment =>
  'comparator' in test && test.comparator === '=' ? sql`${condition} and left(value, 200) = left(${test.value}, 200)` : condition;

const keyed = ({ id, ownId, absentDiffers, values }: SearchTables, { kind, key }: Subject, test: Test): Fragment => {
  const table = values[kind as 'tag'];
  if (table === undefined) throw new Error(`no table of ${kind}`);
  const rows = (condition: Fragment): Fragment => sql`(select ${ownId} from ${table} where key = ${key}${condition})`;
  if ('isNull' in test) return test.isNull ? sql`${id} not in ${rows(sql``)}` : sql`${id} in ${rows(sql``)}`;
  if (kind === 'tag' && absentDiffers && isDifference(test)) return sql`${id} not in ${rows(sql` and ${applyTest(sql`value`, opposite(test))}`)}`;
  // Nothing compares with NaN, though PostgreSQL orders it above all numbers.
  if (kind === 'metric') return sql`${id} in ${rows(sql` and ${applyTest(sql`value`, test)} and value <> 'NaN'`)}`;
  return sql`${id} in ${rows(sql` and ${withBeginning(test, applyTest(sql`value`, test))}`)}`;
};

const conditionSql = (tables: SearchTables, subject: Subject, test: Test): Fragment => {
  if (subject.kind === 'attribute') {
    const column = tables.attributes[subject.key];
    if (column === undefined) throw new Error(`no column of ${subject.key}`);
    return applyTest(column, test);
  }
  if (subject.kind === 'dataset') {
    if (tables.dataset === undefined) throw new Error('these things have no data sets');
    return tables.dataset(subject.key, (value) => applyTest(value, test));
  }
  return keyed(tables, subject, test);
};

export const filterSql = (tables: SearchTables, filter: Filter | undefined): Fragment => {
  if (filter === undefined) return sql`true`;
  if ('all' in filter) return sql`(${sql.join(filter.all.map((part) => filterSql(tables, part)), sql` and `)})`;
  if ('any' in filter) return sql`(${sql.join(filter.any.map((part) => filterSql(tables, part)), sql` or `)})`;
  return conditionSql(tables, filter.subject, filter.test);
};

export type OrderSql = { joins: Fragment; orderBy: Fragment };

const orderColumn = (tables: SearchTables, { kind, key }: Subject, index: number): { join: Fragment; value: Fragment } => {
  if (kind === 'attribute') return { join: sql``, value: tables.attributes[key] ?? sql`null` };
  const name = sql.raw(`order_${index}`);
  // Looked up once for each row that the filter leaves.
  const join = sql`left join lateral (select value from ${tables.values[kind as 'tag'] ?? sql`null`} where ${tables.ownId} = ${tables.id} and key = ${key} order by value limit 1) ${name} on true`;
  return { join, value: sql`${name}.value` };
};

/** Rows without a value come last in both directions, NaN before them. `ties` makes the order total. */
export const orderSql = (tables: SearchTables, order: readonly Order[], ties: Fragment): OrderSql => {
  const columns = order.map(({ subject, descending }, index) => ({ ...orderColumn(tables, subject, index), isMetric: subject.kind === 'metric', direction: descending ? sql`desc` : sql`asc` }));
  const clauses = columns.map(({ value, isMetric, direction }) =>
    isMetric ? sql`nullif(${value}, 'NaN') ${direction} nulls last, ${value} nulls last` : sql`${value} ${direction} nulls last`,
  );
  return { joins: sql.join(columns.map(({ join }) => join), sql` `), orderBy: sql`order by ${sql.join([...clauses, ties], sql`, `)}` };
};
