/** The example's data and features, and that its story is in the data: the numbers that the demo's gates rest on. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleFolder, flightFeatures, queryFlights, readSql, writeMonths } from './support/flights.ts';
import { makeSpec, runTrainer } from './support/run-trainer.ts';
import { readRows, rocAuc } from './support/score.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const STORY_PARAMS = { num_iterations: 120, learning_rate: 0.05, num_leaves: 63, min_data_in_leaf: 100, feature_fraction: 0.4, bagging_fraction: 0.8, bagging_freq: 1 };
const describeColumns = async (name: string) => queryFlights(`select column_name, column_type from (describe ${readSql(name)})`);

describe('the data', () => {
  it('is at most 6 MB in 25 partitions', () => {
    const files = readdirSync(join(exampleFolder, 'data'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files).toHaveLength(25);
    expect(files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0)).toBeLessThan(6_000_000);
  });
});

describe('features.sql', () => {
  it('selects identity, event time, two labels and the features with their types', async () => {
    const columns = await describeColumns('features.sql');
    const expected = flightFeatures.map(({ name, type }) => ({ column_name: name, column_type: type === 'categorical' ? 'VARCHAR' : 'FLOAT' }));
    expect(columns.slice(0, 4)).toEqual([
      { column_name: 'flight_id', column_type: 'VARCHAR' },
      { column_name: 'scheduled_at', column_type: 'TIMESTAMP' },
      { column_name: 'late', column_type: 'BOOLEAN' },
      { column_name: 'minutes_late', column_type: 'INTEGER' },
    ]);
    expect(columns.slice(4)).toEqual(expected);
  });

  it('gives each flight that arrived once, with missing values only where they are declared', async () => {
    const forbidden = flightFeatures.filter(({ missing }) => missing === 'forbidden').map(({ name }) => `count(*) - count(${name})`);
    const [row] = await queryFlights(`select count(*)::int as rows, count(distinct flight_id)::int as ids, (${forbidden.join(' + ')})::int as holes,
      count(*) filter (late is null)::int as unlabelled from (${readSql('features.sql')}\n)`);
    expect(row).toEqual({ rows: 327_346, ids: 327_346, holes: 0, unlabelled: 0 });
  });

  it('uses nothing that is known only after the departure', () => {
    const statement = readSql('features.sql').replace(/--.*$/gm, '');
    for (const column of ['dep_time', 'dep_delay', 'arr_time', 'air_time']) expect(statement).not.toMatch(new RegExp(`\\.${column}\\b`));
    // The two labels and the rows that have one.
    expect(statement.match(/arr_delay/g)).toHaveLength(3);
    expect(statement).toContain('weather.time_hour = flight.time_hour - INTERVAL 1 HOUR');
  });

  it('has the same columns when it is broken', async () => {
    expect(await describeColumns('features-broken.sql')).toEqual(await describeColumns('features.sql'));
  });
});

describe('the story', () => {
  it('a month more makes the model better in May, July is worse, a retraining mends it, a broken feature does harm', { timeout: 240_000 }, async () => {
    const folder = temporaryFolder();
    const good = await writeMonths(join(folder, 'good'), { months: [1, 2, 3, 4, 5, 6, 7] });
    const broken = await writeMonths(join(folder, 'broken'), { months: [1, 2, 3, 4, 5], sqlFile: 'features-broken.sql' });
    const judge = async (files: typeof good, train: number[], month: number): Promise<number> => {
      const spec = makeSpec({ train: files(train), holdout: files([month]), features: flightFeatures, params: STORY_PARAMS });
      expect((await runTrainer(spec)).exitCode).toBe(0);
      const scores = (await readRows([join(spec.outputFolder, 'predictions.parquet')])).map((row) => Number(row['score']));
      const labels = (await readRows(files([month]))).map((row) => row['late'] === true);
      return rocAuc(labels, scores);
    };
    const firstInMay = await judge(good, [1, 2, 3], 5);
    const secondInMay = await judge(good, [1, 2, 3, 4], 5);
    const secondInJuly = await judge(good, [1, 2, 3, 4], 7);
    const retrainedInJuly = await judge(good, [1, 2, 3, 4, 5, 6], 7);
    const brokenInMay = await judge(broken, [1, 2, 3, 4], 5);
    expect(secondInMay - firstInMay).toBeGreaterThan(0.02);
    expect(secondInMay - secondInJuly).toBeGreaterThan(0.05);
    expect(retrainedInJuly - secondInJuly).toBeGreaterThan(0.03);
    expect(brokenInMay).toBeLessThan(secondInMay - 0.03);
  });
});
