import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { queryFlights } from './support/flights.ts';
import { lastError, makeSpec, runTrainer, type Feature, type Spec } from './support/run-trainer.ts';

const folder = mkdtempSync(join(tmpdir(), 'perennial-bad-input-'));
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
    ['a label with one class', changed('false as late'), {}, 'LabelHasOneClass', 'is 0 in all 200'],
    ['a label that is absent', good, { label: 'lte' }, 'LabelInvalid', 'not a column of data.parquet; did you mean late?'],
    ['a label that is not binary', changed('id % 3 as late'), {}, 'LabelInvalid', 'values that are not 0 and 1'],
    ['a label that is text', changed("'yes' as late"), {}, 'LabelInvalid', ''],
    ['a label with nulls', changed('case when id > 5 then late end as late'), {}, 'LabelInvalid', 'null in 6 rows'],
    ['a feature that does not exist', good, { features: [...features, { name: 'sise', type: 'numeric' as const }] }, 'FeatureMissing', 'sise; did you mean size?'],
    ['a number that is text', changed("'big' as size"), {}, 'FeatureTypeWrong', 'size is declared numeric'],
    ['a category that is a number', changed('1 as colour'), {}, 'FeatureTypeWrong', 'colour is declared categorical'],
    ['an infinite number', changed("'inf'::float as size"), {}, 'FeatureTypeWrong', 'finite'],
    ['a missing value where it is forbidden', changed('case when id > 9 then size end as size'), {}, 'MissingValueForbidden', 'size is missing in 10 of 200 rows'],
    ['no rows', `${good} where i < 0`, {}, 'SplitEmpty', 'no rows'],
  ])('with %s ends with 65', async (_name, sql, changes, code, message) => {
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
