/** From the rows of the feature query to the rows that training sees: declared columns, in their declared types. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeatureColumn, Task } from '../../contracts/features.ts';
import type { FeaturesSpec } from '../../contracts/pipeline.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { nearestKey } from '../../domain/nearest-key.ts';
import { columnsOf, identifier, rowOf, rowsOf, type Column } from './database.ts';
import { RESULT_SCHEMA, RESULT_TABLE } from './locked-query.ts';

/** Which rows: those that can be learned from, or all. */
export type Scope = 'labelled' | 'all';

/** View of the typed rows of the scope. */
export const FEATURE_ROWS = `${RESULT_SCHEMA}.rows`;

/** What a label may be, in words. */
const LABELS: Record<Task, string> = { binaryClassification: '0 and 1, or false and true', regression: 'finite numbers' };

const isInteger = (type: string): boolean => /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/.test(type);
const isReal = (type: string): boolean => type === 'FLOAT' || type === 'DOUBLE';
const isNumeric = (type: string): boolean => isInteger(type) || isReal(type) || type === 'BOOLEAN' || type.startsWith('DECIMAL');
const isText = (type: string): boolean => type === 'VARCHAR' || type.startsWith('ENUM');
const isInstant = (type: string): boolean => type === 'DATE' || type.startsWith('TIMESTAMP');

const failure = (code: FailureCode, message: string): PerennialFailure => new PerennialFailure(code, message);

/** Finds a declared column by its exact name. */
const requireColumn = (columns: Column[], name: string, declared: { code: FailureCode; as: string }): Column => {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name);
  const nearest = nearestKey(name, names);
  const hint = nearest === undefined ? `it selects ${names.slice(0, 20).join(', ')}` : `the nearest that it selects is "${nearest}"`;
  throw failure(declared.code, `the feature SQL does not select "${name}", declared as ${declared.as}; ${hint}`);
};

const requireFeature = (columns: Column[], feature: FeatureColumn): Column => {
  const column = requireColumn(columns, feature.name, { code: 'FeatureMissing', as: 'a feature' });
  const fits = feature.type === 'numeric' ? isNumeric(column.type) : isText(column.type);
  if (!fits) throw failure('FeatureTypeWrong', `feature "${feature.name}" is declared ${feature.type}, and the feature SQL selects it as ${column.type}`);
  return column;
};

/** A missing number is null, never NaN: so that both count as the one thing that they mean. */
const featureExpression = (feature: FeatureColumn, column: Column): string => {
  const name = identifier(column.name);
  if (feature.type === 'categorical') return `CAST(${name} AS VARCHAR)`;
  return isReal(column.type) ? `CASE WHEN isnan(${name}) THEN NULL ELSE TRY_CAST(${name} AS FLOAT) END` : `TRY_CAST(${name} AS FLOAT)`;
};

export type FeatureRows = { features: FeaturesSpec; columns: Column[] };

/**
 * Checks the declared columns against those of the query.
 * @throws PerennialFailure FeatureMissing, FeatureTypeWrong or LabelInvalid with the column
 */
export const checkColumns = async (connection: DuckDBConnection, features: FeaturesSpec): Promise<FeatureRows> => {
  const columns = await columnsOf(connection, RESULT_TABLE);
  for (const name of features.identity) requireColumn(columns, name, { code: 'FeatureMissing', as: 'identity' });
  const eventTime = requireColumn(columns, features.eventTime, { code: 'FeatureMissing', as: 'the event time' });
  if (!isInstant(eventTime.type)) throw failure('FeatureTypeWrong', `the event time "${eventTime.name}" is selected as ${eventTime.type}; it must be a DATE or a TIMESTAMP`);
  const label = requireColumn(columns, features.label, { code: 'LabelInvalid', as: 'the label' });
  if (!isNumeric(label.type)) throw failure('LabelInvalid', `the label "${label.name}" is selected as ${label.type}; it must be ${LABELS[features.task]}`);
  for (const feature of features.columns) {
    requireFeature(columns, feature);
    if (feature.name === features.label) throw failure('LabelInvalid', `the label "${features.label}" is also declared as a feature: the model would see its answer`);
  }
  return { features, columns };
};

const columnNamed = ({ columns }: FeatureRows, name: string): Column => columns.find((column) => column.name === name) ?? { name, type: 'VARCHAR' };

const checkLabels = async (connection: DuckDBConnection, { label, task }: FeaturesSpec): Promise<void> => {
  const value = `${identifier(label)}::DOUBLE`;
  const isWrong = task === 'regression' ? `NOT isfinite(${value})` : `${value} NOT IN (0, 1)`;
  const wrong = await rowsOf<{ value: string }>(connection, `SELECT value FROM (SELECT DISTINCT ${identifier(label)}::VARCHAR AS value FROM ${RESULT_TABLE} WHERE ${isWrong}) ORDER BY value LIMIT 5`);
  if (wrong.length > 0) throw failure('LabelInvalid', `the label "${label}" has the values ${wrong.map((row) => row.value).join(', ')}; it must be ${LABELS[task]}`);
};

/**
 * Checks the values of the rows of the scope.
 * @throws PerennialFailure LabelInvalid, MissingValueForbidden or FeatureTypeWrong with the column and the number of rows
 */
export const checkValues = async (connection: DuckDBConnection, rows: FeatureRows, scope: Scope = 'labelled'): Promise<void> => {
  const { features } = rows;
  const label = identifier(features.label);
  if (scope === 'labelled') await checkLabels(connection, features);
  const numeric = features.columns.map((feature) => {
    const column = columnNamed(rows, feature.name);
    const [name, value] = [identifier(feature.name), featureExpression(feature, column)];
    const present = isReal(column.type) ? `${name} IS NOT NULL AND NOT isnan(${name})` : `${name} IS NOT NULL`;
    return { feature, missing: `count_if(NOT (${present}))`, tooLarge: feature.type === 'numeric' ? `count_if(${present} AND (${value} IS NULL OR isinf(${value})))` : '0' };
  });
  const expressions = numeric.map(({ missing, tooLarge }, index) => `${missing} AS missing${index}, ${tooLarge} AS large${index}`);
  const counts = await rowOf<Record<string, bigint | number>>(
    connection,
    `SELECT count_if(${identifier(features.eventTime)} IS NULL) AS untimed, ${expressions.join(', ')} FROM ${RESULT_TABLE}${scope === 'labelled' ? ` WHERE ${label} IS NOT NULL` : ''}`,
  );
  const untimed = Number(counts['untimed']);
  if (untimed > 0) throw failure('MissingValueForbidden', `the event time "${features.eventTime}" is missing in ${untimed} rows`);
  numeric.forEach(({ feature }, index) => {
    const [missing, large] = [Number(counts[`missing${index}`]), Number(counts[`large${index}`])];
    if (missing > 0 && feature.missing === 'forbidden') throw failure('MissingValueForbidden', `feature "${feature.name}" is missing (null or NaN) in ${missing} rows, and is declared missing: forbidden`);
    if (large > 0) throw failure('FeatureTypeWrong', `feature "${feature.name}" has ${large} values that are infinite or too large for a 32-bit number`);
  });
};

/** The columns that training sees, each once: identity, event time, features, label. */
const outputExpressions = (rows: FeatureRows, scope: Scope): Map<string, string> => {
  const { features } = rows;
  const expressions = new Map<string, string>();
  for (const name of features.identity) expressions.set(name, identifier(name));
  expressions.set(features.eventTime, `CAST(${identifier(features.eventTime)} AS TIMESTAMP)`);
  for (const feature of features.columns) {
    if (feature.name !== features.eventTime) expressions.set(feature.name, featureExpression(feature, columnNamed(rows, feature.name)));
  }
  if (scope === 'labelled') expressions.set(features.label, `CAST(${identifier(features.label)} AS ${features.task === 'regression' ? 'DOUBLE' : 'TINYINT'})`);
  return expressions;
};

/** Order of the rows: total but for rows that are equal in every column, which need none. */
export const rowOrder = ({ features }: FeatureRows, scope: Scope = 'labelled'): string => {
  const rest = features.columns.map((feature) => feature.name);
  return [...new Set([features.eventTime, ...features.identity, ...rest, ...(scope === 'labelled' ? [features.label] : [])])].map((name) => `${identifier(name)} NULLS FIRST`).join(', ');
};

/** Makes the view `FEATURE_ROWS`; of all rows it has no label. */
export const createFeatureRows = async (connection: DuckDBConnection, rows: FeatureRows, scope: Scope = 'labelled'): Promise<void> => {
  const columns = [...outputExpressions(rows, scope)].map(([name, expression]) => `${expression} AS ${identifier(name)}`);
  await connection.run(`CREATE VIEW ${FEATURE_ROWS} AS SELECT ${columns.join(', ')} FROM ${RESULT_TABLE}${scope === 'labelled' ? ` WHERE ${identifier(rows.features.label)} IS NOT NULL` : ''}`);
};
