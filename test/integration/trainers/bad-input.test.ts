import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { queryFlights } from './support/flights.ts';
import { lastError, makeSpec, runTrainer, type Feature, type Spec } from './support/run-trainer.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
const features: Feature[] = [
  { name: 'colour', type: 'categorical', missing: 'allowed' },
  { name: 'size', type: 'numeric' },
];
const good = "select i as id, case when i % 3 = 0 then 'red' else 'blue' end as colour, (i % 7)::float as size, i % 2 = 0 as late from range(200) t(i)";

const write = async (name: string, sql: string): Promise<string> => {
  const path = join(folder, `${name}.parquet`);
  await queryFlights(`copy (${sql}) to '${path}'`);
  return path;
};

let goodFile: string;
beforeAll(async () => {
  goodFile = await write('good', good);
});
const specOf = (changes: Partial<Spec> = {}): Spec => makeSpec({ train: [goodFile], holdout: [goodFile], features, params: { num_iterations: 3 }, ...changes });

describe('the specification', () => {
  it.each([
    ['is no JSON', () => '{ no', 'cannot be read'],
    ['misses a key', () => ({ ...specOf(), label: undefined }), '$.label is missing'],
    ['has an unknown key', () => ({ ...specOf(), holdot: [] }), '$.holdot is not known; did you mean holdout?'],
    ['is of another version', () => specOf({ contractVersion: 2 }), '$.contractVersion must be 1'],
    ['has an unknown trainer', () => specOf({ trainer: 'catboost' }), 'trainer "catboost" is not known'],
    ['has a mistyped parameter', () => specOf({ params: { num_leafs: 31 } }), 'params.num_leafs is not known; did you mean num_leaves?'],
    ['has an impossible parameter', () => specOf({ params: { learning_rate: -1 } }), 'params.learning_rate must be at least 1e-06'],
    ['declares a feature twice', () => specOf({ features: [...features, { name: 'size', type: 'numeric' }] }), 'declared twice: size'],
    ['names an unknown estimator', () => specOf({ trainer: 'sklearn', params: { estimator: 'randomForst' } }), 'did you mean randomForest?'],
  ])('that %s ends with 64', async (_name, spec, message) => {
    const end = await runTrainer(spec());
    expect(end.exitCode).toBe(64);
    expect(lastError(end)).toMatchObject({ code: 'TrainerRejectedInput' });
    expect(lastError(end).message).toContain(message);
  });
});

describe('the data', () => {
  const changed = (columns: string): string => `select * replace (${columns}) from (${good})`;
  it.each([
    { name: 'a label with one class', sql: changed('false as late'), changes: {}, code: 'LabelHasOneClass', message: 'is 0 in all 200' },
    { name: 'a label that is absent', sql: good, changes: { label: 'lte' }, code: 'LabelInvalid', message: 'not a column of data.parquet; did you mean late?' },
    { name: 'a label that is not binary', sql: changed('id % 3 as late'), changes: {}, code: 'LabelInvalid', message: 'values that are not 0 and 1' },
    { name: 'a label that is text', sql: changed("'yes' as late"), changes: {}, code: 'LabelInvalid', message: '' },
    { name: 'a label with nulls', sql: changed('case when id > 5 then late end as late'), changes: {}, code: 'LabelInvalid', message: 'null in 6 rows' },
    { name: 'a feature that does not exist', sql: good, changes: { features: [...features, { name: 'sise', type: 'numeric' as const }] }, code: 'FeatureMissing', message: 'sise; did you mean size?' },
    { name: 'a number that is text', sql: changed("'big' as size"), changes: {}, code: 'FeatureTypeWrong', message: 'size is declared numeric' },
    { name: 'a category that is a number', sql: changed('1 as colour'), changes: {}, code: 'FeatureTypeWrong', message: 'colour is declared categorical' },
    { name: 'an infinite number', sql: changed("'inf'::float as size"), changes: {}, code: 'FeatureTypeWrong', message: 'finite' },
    { name: 'a missing value where it is forbidden', sql: changed('case when id > 9 then size end as size'), changes: {}, code: 'MissingValueForbidden', message: 'size is missing in 10 of 200 rows' },
    { name: 'no rows', sql: `${good} where i < 0`, changes: {}, code: 'SplitEmpty', message: 'no rows' },
  ])('with $name ends with 65', async ({ sql, changes, code, message }) => {
    const train = [await write('data', sql)];
    const end = await runTrainer(specOf({ train, ...changes }));
    expect(end.exitCode).toBe(65);
    expect(lastError(end).code).toBe(code);
    expect(lastError(end).message).toContain(message);
    expect(lastError(end).fix).not.toBe('');
  });

  it('that cannot be read ends with 66', async () => {
    const corrupt = join(folder, 'corrupt.parquet');
    writeFileSync(corrupt, 'PAR1 this is not Parquet');
    for (const file of [corrupt, join(folder, 'absent.parquet')]) {
      const end = await runTrainer(specOf({ train: [file] }));
      expect(end.exitCode).toBe(66);
      expect(lastError(end).code).toBe('SourceCorrupt');
    }
  });
});
