/** User SQL, locked in: what it may not do, and that nothing outside of its call can be reached. */
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, rowsOf, type DatabaseSettings } from '../../../adapters/duckdb/database.ts';
import { RESULT_SCHEMA, RESULT_TABLE, runLocked } from '../../../adapters/duckdb/locked-query.ts';

let root: string;
let secret: string;
let settings: DatabaseSettings;

const settingsOf = (folder: string, memoryLimit = '256MB'): DatabaseSettings => ({ folder, memoryLimit, threads: 2 });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'locked-query-'));
  secret = join(root, 'secret.csv');
  await writeFile(secret, 'secret\ncanary\n');
  await mkdir(join(root, 'template'));
  const { connection, close } = await openDatabase(settingsOf(join(root, 'template')));
  await connection.run(`CREATE SCHEMA ${RESULT_SCHEMA}; CREATE TABLE flights AS SELECT range AS id, range % 2 = 0 AS late FROM range(1000); CREATE TABLE planes AS SELECT 1 AS id`);
  close();
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  const folder = await mkdtemp(join(root, 'call-'));
  await cp(join(root, 'template'), folder, { recursive: true });
  settings = settingsOf(folder);
});

const run = (sql: string, bounds: { timeoutMs?: number; maximumBytes?: number } = {}): Promise<void> =>
  runLocked(settings, { sql, tables: ['flights', 'planes'], limits: { timeoutMs: 20_000, maximumBytes: 1e9, ...bounds } });

const resultOf = async <Row>(): Promise<Row[]> => {
  const { connection, close } = await openDatabase(settings);
  const rows = await rowsOf<Row>(connection, `SELECT * FROM ${RESULT_TABLE}`);
  close();
  return rows;
};

describe('a feature query', () => {
  it.each([
    ['a join', 'SELECT count(*)::INTEGER AS n FROM flights JOIN planes USING (id)'],
    ['a common table expression', 'WITH chosen AS (SELECT 1 AS n) SELECT n FROM chosen'],
    ['a recursive one', 'WITH RECURSIVE up AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM up WHERE n < 1) SELECT n FROM up'],
    ['FROM first', 'FROM planes SELECT id AS n'],
    ['a semicolon and a comment at its end', 'SELECT id AS n FROM "planes"; -- the end; of it'],
    ['values', 'SELECT * FROM (VALUES (1)) AS given(n)'],
    ['unnest and range', 'SELECT n FROM unnest([1]) AS u(n) JOIN range(5) AS r(i) ON i = n'],
    ['a lateral join and windows', 'SELECT 1 AS n FROM planes, LATERAL (SELECT lag(late) OVER (ORDER BY flights.id) FROM flights LIMIT 1)'],
    ['another case in a name', 'SELECT ID AS n FROM Planes'],
  ])('may have %s', async (_what, sql) => {
    await run(sql);
    expect((await resultOf<{ n: number }>()).map(({ n }) => Number(n))).toEqual([1]);
  });

  it.each([
    ['a file', () => `SELECT * FROM read_csv('${secret}')`],
    ['a file by its name', () => `SELECT * FROM '${secret}'`],
    ['a file as text', () => `SELECT * FROM read_text('${secret}')`],
    ['a file in a subquery', () => `SELECT (SELECT max(content) FROM read_text('${secret}')) AS x`],
    ['a file in a condition', () => `SELECT 1 AS x FROM flights WHERE EXISTS (FROM '${secret}')`],
    ['a file in a common table expression', () => `WITH t AS (FROM read_csv('${secret}')) SELECT * FROM t`],
    ['a file in a union', () => `SELECT 'x' UNION ALL SELECT secret FROM read_csv('${secret}')`],
    ['JSON and Parquet files', () => `SELECT * FROM read_json('${secret}') UNION ALL SELECT * FROM read_parquet('${secret}')`],
    ['a list of files', () => "SELECT * FROM glob('/*')"],
    ['the form of a file', () => `SELECT * FROM sniff_csv('${secret}')`],
    ['Parquet metadata', () => `SELECT * FROM parquet_metadata('${secret}')`],
    ['the spill folder', () => `SELECT * FROM read_blob('${settings.folder}/spill/*')`],
    ['the database file', () => `SELECT * FROM read_blob('${settings.folder}/call.duckdb')`],
    ['an address', () => "SELECT * FROM 'https://example.com/rows.parquet'"],
    ['an address in a function', () => "SELECT * FROM read_csv('http://169.254.169.254/latest/meta-data')"],
    ['SQL in a string', () => `SELECT * FROM query('SELECT * FROM read_csv(''${secret}'')')`],
    ['a table named in a string', () => "SELECT * FROM query_table('flights')"],
    ['settings', () => "SELECT * FROM duckdb_settings()"],
    ['a setting', () => "SELECT current_setting('temp_directory')"],
    ['a variable of the environment', () => "SELECT getenv('HOME')"],
    ['secrets', () => 'SELECT * FROM duckdb_secrets()'],
    ['the catalogue', () => 'SELECT * FROM information_schema.tables'],
    ['the catalogue without a schema', () => 'SELECT * FROM duckdb_tables'],
    ['the schema of results', () => `SELECT * FROM ${RESULT_SCHEMA}.result`],
    ['a table of another database', () => 'SELECT * FROM other.main.flights'],
    ['DESCRIBE', () => 'DESCRIBE flights'],
    ['SUMMARIZE in FROM', () => 'SELECT * FROM (SUMMARIZE flights)'],
    ['SHOW', () => 'SHOW TABLES'],
    ['ATTACH', () => `ATTACH '${join(root, 'other.duckdb')}' AS other`],
    ['COPY out', () => `COPY flights TO '${join(root, 'stolen.csv')}'`],
    ['COPY into the spill folder', () => `COPY flights TO '${settings.folder}/spill/stolen.csv'`],
    ['COPY in', () => `COPY flights FROM '${secret}'`],
    ['EXPORT', () => `EXPORT DATABASE '${join(root, 'exported')}'`],
    ['INSTALL', () => 'INSTALL httpfs'],
    ['LOAD', () => "LOAD 'httpfs'"],
    ['PRAGMA', () => 'PRAGMA database_list'],
    ['SET', () => 'SET enable_external_access = true'],
    ['RESET', () => 'RESET lock_configuration'],
    ['CALL', () => 'CALL pragma_version()'],
    ['CREATE SECRET', () => "CREATE SECRET stolen (TYPE s3, KEY_ID 'a', SECRET 'b')"],
    ['CREATE TABLE', () => 'CREATE TABLE mine AS SELECT 1'],
    ['CREATE MACRO', () => 'CREATE MACRO mine() AS 1'],
    ['DROP', () => 'DROP TABLE flights'],
    ['INSERT', () => 'INSERT INTO flights VALUES (1, true) RETURNING *'],
    ['DELETE', () => 'DELETE FROM flights RETURNING *'],
    ['EXPLAIN', () => 'EXPLAIN SELECT 1'],
    ['two statements', () => 'SELECT 1; DROP TABLE flights'],
    ['two statements with a comment between', () => 'SELECT 1 /* ; */ ; /* x */ SELECT 2'],
    ['a way out of the statement around it', () => 'SELECT 1) AS x; DROP TABLE flights; --'],
    ['an open comment', () => 'SELECT 1 /* open'],
    ['nothing', () => ' -- nothing'],
    ['a parameter', () => 'SELECT $1 AS x'],
    ['chance', () => 'SELECT random() AS x FROM flights'],
    ['chance within a lambda', () => 'SELECT list_transform([1], lambda v: v + random()) AS x FROM flights'],
    ['the clock', () => 'SELECT now() AS x'],
    ['the clock without parentheses', () => 'SELECT current_date AS x'],
    ['a sample', () => 'SELECT * FROM flights USING SAMPLE 10'],
    ['sleep', () => 'SELECT sleep_ms(100000) AS x'],
    ['a log', () => "SELECT write_log('x') AS x"],
    ['a sequence', () => "SELECT nextval('numbers') AS x"],
    ['a syntax error', () => 'SELEC 1'],
    ['an unknown column', () => 'SELECT no_such_column FROM flights'],
  ])('may not have %s', async (_what, sql) => {
    const error: unknown = await run(sql()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'FeatureQueryInvalid', retryable: false });
    expect(String(error)).not.toContain('canary');
    expect((await readdir(root)).filter((name) => !/^(call-|template$|secret\.csv$)/.test(name))).toEqual([]);
  });

  it('is told the line and the name that is wrong', async () => {
    await expect(run('SELECT\n  id,\n  dep_dely\nFROM flights')).rejects.toThrow(/dep_dely[\s\S]*LINE 3/);
    await expect(run('SELECT * FROM flight')).rejects.toThrow(/"flight", which is no table of the source; the nearest is "flights"/);
  });

  it('is stopped when its time is over', async () => {
    const started = Date.now();
    await expect(run('SELECT count(*) AS n FROM flights a, flights b, flights c, flights d WHERE a.id + b.id + c.id <> d.id', { timeoutMs: 1_000 })).rejects.toThrow(/ran longer than 1 s/);
    expect(Date.now() - started).toBeLessThan(6_000);
  });

  it('is stopped in an endless recursion', async () => {
    await expect(run('WITH RECURSIVE t AS (SELECT 1::BIGINT AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS m FROM t', { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'FeatureQueryInvalid' });
  });

  it('is stopped when it fills the disk', async () => {
    await expect(run('SELECT a.id, b.id AS other, hash(a.id, b.id, i) AS noise FROM flights a, flights b, range(100000) AS r(i)', { maximumBytes: 50e6 })).rejects.toThrow(/more than 50 MB of disk/);
  });

  it('is told when it needs too much memory', async () => {
    const error: unknown = await run('SELECT list(repeat(md5(a.id::VARCHAR || b.id::VARCHAR), 20)) AS everything FROM flights a, flights b').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'FeatureQueryInvalid' });
    expect(String(error)).toMatch(/memory/);
  });

  it('survives a query with a great many columns', async () => {
    const columns = Array.from({ length: 20_000 }, (_, index) => `${index}`).join(',');
    await run(`SELECT ${columns} FROM planes`, { timeoutMs: 15_000 }).catch((error: unknown) => expect(error).toMatchObject({ code: 'FeatureQueryInvalid' }));
  });

  it('leaves the tables as they were', async () => {
    await expect(run('DROP TABLE flights')).rejects.toThrow();
    await run('SELECT count(*)::INTEGER AS n FROM flights');
    expect(await resultOf()).toEqual([{ n: 1_000 }]);
    expect(await readFile(secret, 'utf8')).toContain('canary');
  });
});
