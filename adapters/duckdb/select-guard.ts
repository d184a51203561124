/**
 * What user SQL may name. DuckDB's settings already keep it from files, network and configuration; this guard is the wall before that one:
 * it reads DuckDB's own syntax tree and refuses every table that was not given, every table function that is not about values,
 * and functions that give something else each time, because the same input must give the same features.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { PerennialFailure } from '../../domain/failure.ts';
import { nearestKey } from '../../domain/nearest-key.ts';
import { messageOf, rowOf, rowsOf } from './database.ts';

const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree', 'repeat', 'repeat_row']);
/** Stable for DuckDB, and yet about the process and not about the data. */
const PROCESS_FUNCTIONS = ['current_setting', 'getvariable', 'getenv', 'pg_sleep', 'sleep_ms', 'current_user', 'session_user', 'user', 'version'];
/** Words that are functions without parentheses, where no column has their name. */
const SPECIAL_WORDS = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp', 'current_user', 'session_user', 'current_role', 'current_schema', 'current_catalog', 'user']);

type Node = Record<string, unknown>;

const refused = (message: string, fix?: string): PerennialFailure => new PerennialFailure('FeatureQueryInvalid', message, fix === undefined ? {} : { fix });

/** The syntax tree as DuckDB writes it; it does so for SELECT alone. */
const syntaxTree = async (connection: DuckDBConnection, sql: string): Promise<Node> => {
  const { tree } = await rowOf<{ tree: string }>(connection, 'SELECT json_serialize_sql($1::VARCHAR) AS tree', [sql]);
  const parsed = JSON.parse(tree) as Node;
  if (parsed['error'] === true) throw refused('the feature SQL must be one SELECT statement');
  return parsed;
};

/** Walks iteratively: a deeply nested query must not overflow the stack of this process. */
const visit = (tree: Node, see: (node: Node) => void): void => {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const next = open.pop();
    if (next === null || typeof next !== 'object') continue;
    if (!Array.isArray(next)) see(next as Node);
    for (const child of Object.values(next)) open.push(child);
  }
};

const textOf = (node: Node, key: string): string => (typeof node[key] === 'string' ? node[key] : '');

/** Names that common table expressions give, anywhere in the query. */
const namesOfCtes = (tree: Node): Set<string> => {
  const names = new Set<string>();
  visit(tree, (node) => {
    const map = (node['cte_map'] as Node | undefined)?.['map'];
    if (Array.isArray(map)) for (const entry of map as Node[]) names.add(textOf(entry, 'key').toLowerCase());
  });
  return names;
};

const refuseTable = (node: Node, tables: readonly string[], ctes: Set<string>): void => {
  const [schema, name] = [textOf(node, 'schema_name'), textOf(node, 'table_name')];
  const known = schema === '' && (ctes.has(name.toLowerCase()) || tables.some((table) => table.toLowerCase() === name.toLowerCase()));
  if (known) return;
  const nearest = nearestKey(name, tables);
  const hint = nearest === undefined ? `the tables are ${tables.join(', ')}` : `the nearest is "${nearest}"`;
  const full = schema === '' ? name : `${schema}.${name}`;
  throw refused(`the feature SQL reads "${full.slice(0, 200)}", which is no table of the source; ${hint}`);
};

/** Names of functions whose answer does not follow from their arguments alone. */
const unstableFunctions = async (connection: DuckDBConnection): Promise<Set<string>> => {
  const rows = await rowsOf<{ name: string }>(connection, "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate') AND stability <> 'CONSISTENT'");
  return new Set([...rows.map(({ name }) => name), ...PROCESS_FUNCTIONS]);
};

const refuseNode = (node: Node, allowed: { tables: readonly string[]; ctes: Set<string>; unstable: Set<string> }): void => {
  const type = textOf(node, 'type');
  if (type === 'BASE_TABLE') refuseTable(node, allowed.tables, allowed.ctes);
  if (type === 'SHOW_REF') throw refused('the feature SQL must be a SELECT of rows, not DESCRIBE, SHOW or SUMMARIZE');
  if (type === 'TABLE_FUNCTION') {
    const name = textOf((node['function'] ?? {}) as Node, 'function_name');
    if (!TABLE_FUNCTIONS.has(name)) throw refused(`the feature SQL calls ${name}(), which is not allowed: it can read only the tables of the source`);
  }
  const called = type === 'FUNCTION' ? textOf(node, 'function_name') : '';
  const words = type === 'COLUMN_REF' ? (node['column_names'] as string[]) : [];
  const special = words.length === 1 ? (words[0] ?? '').toLowerCase() : '';
  if (allowed.unstable.has(called) || SPECIAL_WORDS.has(special)) {
    throw refused(`the feature SQL uses ${called || special}, which gives something else each time: the same data must give the same features`, 'Compute it from columns of the source.');
  }
  if (node['sample'] !== undefined && node['sample'] !== null) throw refused('the feature SQL samples rows, which gives other rows each time', 'Choose rows by a hash of their identity.');
};

/** Number of statements in a text; none in one of comments and blanks alone. */
const statementsIn = async (connection: DuckDBConnection, sql: string): Promise<number> => {
  try {
    return (await connection.extractStatements(sql)).count;
  } catch (error) {
    if (/Error in native callback/.test(messageOf(error))) return 0;
    throw refused(`the feature SQL cannot be read: ${messageOf(error).replace(/^Failed to extract statements: /, '')}`);
  }
};

/**
 * Lets through one SELECT over the given tables.
 * @throws PerennialFailure FeatureQueryInvalid that says what is refused
 */
export const guardSelect = async (connection: DuckDBConnection, sql: string, tables: readonly string[]): Promise<void> => {
  const count = await statementsIn(connection, sql);
  if (count !== 1) throw refused(`the feature SQL must be one SELECT statement, and has ${count}`);
  const tree = await syntaxTree(connection, sql);
  const allowed = { tables, ctes: namesOfCtes(tree), unstable: await unstableFunctions(connection) };
  visit(tree, (node) => refuseNode(node, allowed));
};
