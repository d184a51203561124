/** Building a feature set: declared columns, labels, windows, bytes that come out the same. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFeatureSet } from '../../../adapters/duckdb/build-features.ts';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { FeaturesSpec, SplitSpec } from '../../../contracts/pipeline.ts';
import type { DataEngine, LocalTable } from '../../../domain/ports/data-engine.ts';
import { readRows, writeRows } from './source-files.ts';

let folder: string;
let engine: DataEngine;
let tables: LocalTable[];
let outputs = 0;

const columns = [
  { name: 'distance', type: 'numeric' },
  { name: 'gust', type: 'numeric', missing: 'allowed' },
  { name: 'carrier', type: 'categorical' },
];
const base = { identity: ['id'], eventTime: 'seen', label: 'late', columns };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-features-'));
  engine = createDataEngine({ scratchFolder: join(folder, 'scratch'), memoryLimit: '512MB', threads: 2 });
  // Five months of rows in a scrambled order, with ties in time; some labels are not known.
  const select = `SELECT range AS id, TIMESTAMP '2013-01-01' + INTERVAL 1 HOUR * (hash(range) % 3600)::INTEGER AS seen, (hash(range + 7) % 1000) / 7.0 AS distance,
    CASE WHEN range % 3 = 0 THEN 'nan'::DOUBLE WHEN range % 3 = 1 THEN NULL ELSE range / 3.0 END AS gust,
    ['UA', 'DL', 'B6'][1 + (range % 3)] AS carrier, CASE WHEN range % 10 = 0 THEN NULL ELSE range % 4 = 1 END AS late FROM range(5000) ORDER BY hash(range * 31)`;
  tables = [{ name: 'flights', format: 'parquet', files: [await writeRows(join(folder, 'flights.parquet'), select)] }];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inputOf = async (spec: Partial<Record<keyof FeaturesSpec, unknown>>, split: unknown) => {
  outputs += 1;
  const output = join(folder, `output-${outputs}`);
  await mkdir(output);
  return { tables, features: FeaturesSpec.parse({ ...base, sql: 'SELECT * FROM flights', ...spec }), split: SplitSpec.parse(split), folder: output };
};

/** What the engine does in a process of its own, done in this one: that is faster, and the process is tested apart. */
const build = async (spec: Partial<Record<keyof FeaturesSpec, unknown>> = {}, split: unknown = { holdout: { last: 'P1M' } }) => {
  const input = await inputOf(spec, split);
  const settings = { folder: await mkdtemp(join(folder, 'call-')), memoryLimit: '512MB', threads: 2 };
  return buildFeatureSet(settings, input, { limits: { timeoutMs: 60_000, maximumBytes: 1e9 }, onFile: () => undefined });
};

const buildByEngine = async (spec: Partial<Record<keyof FeaturesSpec, unknown>>) => engine.buildFeatures(await inputOf(spec, { holdout: { last: 'P1M' } }));

const hashOf = async (path: string): Promise<string> => createHash('sha256').update(await readFile(path)).digest('hex');

describe('a feature set', () => {
  it('holds the last calendar month out, and leaves rows without a label out', async () => {
    const built = await build();
    expect(built.split).toMatchObject({ holdoutFrom: '2013-05-01T00:00:00.000Z', holdoutUntil: '2013-06-01T00:00:00.000Z' });
    const [train] = await readRows<Record<string, unknown>>(built.trainFile, `count(*)::INTEGER AS n, min(seen)::VARCHAR AS first, max(seen) < TIMESTAMP '2013-05-01' AS before, count(late)::INTEGER AS labelled`);
    const [holdout] = await readRows<Record<string, unknown>>(built.holdoutFile, `count(*)::INTEGER AS n, min(seen) >= TIMESTAMP '2013-05-01' AS after`);
    expect(train).toMatchObject({ n: built.trainRows, before: true, labelled: built.trainRows });
    expect(holdout).toMatchObject({ n: built.holdoutRows, after: true });
    expect(built.trainRows + built.holdoutRows).toBe(4_500);
    expect(Date.parse(built.split.trainFrom)).toBe(Date.parse(`${String(train?.['first'])}Z`));
  });

  it('has the declared columns in their types, in total order', async () => {
    const built = await build({ sql: 'SELECT carrier, late, gust, distance, seen, id, 1 AS not_declared FROM flights' });
    const types = await readRows<{ column_name: string; column_type: string }>(built.trainFile, 'unnest([typeof(id), typeof(seen), typeof(distance), typeof(gust), typeof(carrier), typeof(late)]) AS column_type');
    expect(types.slice(0, 6).map((row) => row.column_type)).toEqual(['BIGINT', 'TIMESTAMP', 'FLOAT', 'FLOAT', 'VARCHAR', 'TINYINT']);
    const rows = await readRows<{ id: string; seen: string; late: number; gust: number | null }>(built.trainFile);
    expect(Object.keys(rows[0] ?? {})).toEqual(['id', 'seen', 'distance', 'gust', 'carrier', 'late']);
    const keys = rows.map(({ seen, id }) => `${seen}/${id.padStart(8, '0')}`);
    expect(keys).toEqual([...keys].sort());
    expect(new Set(rows.map(({ late }) => late))).toEqual(new Set([0, 1]));
    // NaN and null are one thing: missing.
    expect(rows.filter(({ gust }) => gust === null).length / rows.length).toBeCloseTo(2 / 3, 1);
  });

  it('is the same bytes each time', async () => {
    const sql = 'SELECT f.*, (SELECT avg(distance) FROM flights g WHERE g.carrier = f.carrier) AS mean FROM flights f';
    const spec = { sql, columns: [...columns, { name: 'mean', type: 'numeric' }] };
    const [first, second] = [await build(spec), await buildByEngine(spec)];
    expect(await hashOf(second.trainFile)).toBe(await hashOf(first.trainFile));
    expect(await hashOf(second.holdoutFile)).toBe(await hashOf(first.holdoutFile));
    expect(second.reference).toEqual(first.reference);
  });

  it('describes the training rows: every row in one bin', async () => {
    const built = await build();
    const [distance, gust, carrier] = built.reference;
    expect(distance).toMatchObject({ type: 'numeric', column: 'distance', missing: 0 });
    for (const reference of built.reference) expect(reference.counts.reduce((sum, count) => sum + count, reference.missing)).toBe(built.trainRows);
    if (distance?.type !== 'numeric' || carrier?.type !== 'categorical') throw new Error('the references have the wrong types');
    // The definition of the bins, by hand: bin i holds edges[i-1] < value <= edges[i].
    const values = (await readRows<{ distance: number }>(built.trainFile, 'distance')).map((row) => row.distance);
    const byHand = distance.counts.map((_, bin) => values.filter((value) => value > (distance.edges[bin - 1] ?? -Infinity) && value <= (distance.edges[bin] ?? Infinity)).length);
    expect(distance.counts).toEqual(byHand);
    expect(distance).toMatchObject({ exact: true, edges: [...new Set(values)].sort((left, right) => left - right), minimum: Math.min(...values), maximum: Math.max(...values) });
    expect(gust?.missing).toBeGreaterThan(0);
    expect([...carrier.categories].sort()).toEqual(['B6', 'DL', 'UA']);
    expect(carrier.counts.at(-1)).toBe(0);
  });

  it('keeps the edges of a column with few values apart, and every category', async () => {
    const built = await build({ sql: `SELECT * REPLACE (CASE WHEN id % 2 = 0 THEN 0 ELSE 1 END AS distance, 'c' || (id % 80) AS carrier) FROM flights` });
    const [distance, , carrier] = built.reference;
    expect(distance).toMatchObject({ edges: [0, 1], exact: true });
    if (carrier?.type !== 'categorical') throw new Error('the carrier is categorical');
    const found = await readRows<{ carrier: string }>(built.trainFile, 'carrier');
    expect([...carrier.categories].sort()).toEqual([...new Set(found.map((row) => row.carrier))].sort());
    expect(carrier.categories.length).toBeGreaterThan(70);
    expect(carrier.counts.at(-1)).toBe(0);
  });

  it('describes a column that is missing in all rows, and one of a single value', async () => {
    const built = await build({ sql: 'SELECT * REPLACE (NULL::DOUBLE AS gust, 5 AS distance) FROM flights' });
    expect(built.reference.slice(0, 2)).toEqual([
      { type: 'numeric', column: 'distance', exact: true, edges: [5], counts: [built.trainRows, 0], gaps: [0, 0], missing: 0, minimum: 5, maximum: 5, deviation: 0 },
      { type: 'numeric', column: 'gust', exact: true, edges: [], counts: [0], gaps: [0], missing: built.trainRows, minimum: null, maximum: null, deviation: 0 },
    ]);
  });

  it('may call its columns as our own queries call theirs', async () => {
    const numeric = ['value', 'rows', 'present0', 'minimum0', 'total', 'n0', 'times', 'missing0', 'large0', 'first', 'data', 'gust'];
    const texts = ['category', 'names', 'a', 'r'];
    const sql = `SELECT id AS present, seen AS last, late AS positives, ${numeric.map((name, index) => `distance + ${index} AS "${name}"`)}, ${texts.map((name) => `carrier AS "${name}"`)} FROM flights`;
    const columns = [...numeric.map((name) => ({ name, type: 'numeric' })), ...texts.map((name) => ({ name, type: 'categorical' }))];
    const spec = { sql, identity: ['present'], eventTime: 'last', label: 'positives', columns };
    const built = await build(spec);
    expect(built.reference.map(({ column }) => column)).toEqual([...numeric, ...texts]);
    expect(built.reference.find(({ column }) => column === 'category')).toMatchObject({ categories: ['B6', 'DL', 'UA'].sort(), missing: 0 });
    const value = build({ sql: 'SELECT id, seen, 7 AS value, distance, carrier FROM flights', label: 'value', columns: [{ name: 'distance', type: 'numeric' }] });
    await expect(value).rejects.toThrow('the label "value" has the values 7');
  });

  it('takes event times with a zone and whole days', async () => {
    const zoned = await build({ sql: "SELECT * REPLACE (seen AT TIME ZONE 'UTC' AS seen) FROM flights" });
    const plain = await build();
    expect(await hashOf(zoned.trainFile)).toBe(await hashOf(plain.trainFile));
    const days = await build({ sql: 'SELECT * REPLACE (seen::DATE AS seen) FROM flights' }, { holdout: { last: 'P14D' }, train: { last: 'P30D' } });
    expect(days.split).toEqual({ trainFrom: '2013-04-17T00:00:00.000Z', holdoutFrom: '2013-05-17T00:00:00.000Z', holdoutUntil: '2013-05-31T00:00:00.000Z' });
  });
});

describe('a feature set is refused', () => {
  const replace = (column: string, expression: string) => ({ sql: `SELECT * REPLACE (${expression} AS ${column}) FROM flights` });

  it.each([
    ['a feature that is not selected', 'FeatureMissing', /"distnce".*nearest that it selects is "distance"/, { columns: [{ name: 'distnce', type: 'numeric' }] }],
    ['a feature in another case', 'FeatureMissing', /"Distance".*"distance"/, { columns: [{ name: 'Distance', type: 'numeric' }] }],
    ['an identity that is not selected', 'FeatureMissing', /"key", declared as identity/, { identity: ['key'] }],
    ['text as a number', 'FeatureTypeWrong', /"distance" is declared numeric.*VARCHAR/, replace('distance', "'far'")],
    ['a number as a category', 'FeatureTypeWrong', /"carrier" is declared categorical.*INTEGER/, replace('carrier', '1')],
    ['a time that is none', 'FeatureTypeWrong', /event time "seen" is selected as VARCHAR/, replace('seen', "'yesterday'")],
    ['numbers that do not fit', 'FeatureTypeWrong', /"distance" has 5 values that are infinite or too large/, replace('distance', 'CASE WHEN id BETWEEN 1 AND 5 THEN 1e300 ELSE 1 END')],
    ['missing values that are forbidden', 'MissingValueForbidden', /"distance" is missing \(null or NaN\) in 9 rows/, replace('distance', "CASE WHEN id BETWEEN 1 AND 5 THEN NULL WHEN id BETWEEN 6 AND 9 THEN 'nan'::DOUBLE ELSE 1 END")],
    ['missing times', 'MissingValueForbidden', /event time "seen" is missing in 2 rows/, replace('seen', 'CASE WHEN id IN (1, 2) THEN NULL ELSE seen END')],
    ['no label', 'LabelInvalid', /does not select "late"/, { sql: 'SELECT * EXCLUDE (late) FROM flights' }],
    ['a label of words', 'LabelInvalid', /"late" is selected as VARCHAR/, replace('late', "'yes'")],
    ['a label of three numbers', 'LabelInvalid', /has the values 2\b/, replace('late', 'id % 3')],
    ['the label among the features', 'LabelInvalid', /also declared as a feature/, { ...replace('late', 'id % 2'), columns: [{ name: 'late', type: 'numeric' }] }],
    ['one class', 'LabelHasOneClass', /in the train window .* the label "late" is 0 in all/, replace('late', 'seen >= TIMESTAMP \'2013-05-01\' AND id % 2 = 0')],
    ['one class in the holdout', 'LabelHasOneClass', /in the holdout window .* is 1 in all/, replace('late', 'seen >= TIMESTAMP \'2013-05-01\' OR id % 2 = 0')],
    ['no rows', 'SplitEmpty', /no row with a label/, { sql: 'SELECT * FROM flights WHERE false' }],
    ['no labels', 'SplitEmpty', /no row with a label/, replace('late', 'NULL::BOOLEAN')],
    ['no rows to train on', 'SplitEmpty', /the train window .* has no row/, { sql: "SELECT * FROM flights WHERE seen >= TIMESTAMP '2013-05-01'" }],
    ['two statements', 'FeatureQueryInvalid', /one SELECT statement/, { sql: 'SELECT 1; SELECT 2' }],
  ])('with %s', async (_what, code, message, spec) => {
    const error: unknown = await build(spec as Partial<Record<keyof FeaturesSpec, unknown>>).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, retryable: false });
    expect((error as Error).message).toMatch(message);
  });

  it('without a word of where the engine works', async () => {
    const error: unknown = await buildByEngine({ sql: 'SELECT nothing FROM flights' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'FeatureQueryInvalid', fix: expect.stringContaining('Correct the SQL') as string });
    expect((error as Error).message).not.toContain(folder);
  });

  it('with files that are damaged, naming the table', async () => {
    const broken = join(folder, 'broken.parquet');
    await writeFile(broken, 'PAR1 nothing');
    const features = FeaturesSpec.parse({ ...base, sql: 'SELECT * FROM flights' });
    await expect(engine.buildFeatures({ tables: [{ name: 'flights', format: 'parquet', files: [broken] }], features, split: { by: 'time', holdout: { last: 'P1M' } }, folder })).rejects.toMatchObject({
      code: 'SourceCorrupt',
      message: expect.stringContaining(broken) as string,
    });
  });
});
