/** A pipeline file does not depend on where it lies, and its mistakes are found by line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { warningsOf } from '../../../api/pipelines/contradictions.ts';
import { validatePipeline } from '../../../api/pipelines/validate.ts';
import { EXIT } from '../../../cli/exit-codes.ts';
import { readPipelineFile } from '../../../cli/pipeline-file.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-cli-'));
  mkdirSync(join(folder, 'trainers'));
  writeFileSync(join(folder, 'trainers', 'mine.py'), '');
  writeFileSync(join(folder, 'features.sql'), 'select 1');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return readPipelineFile(join(folder, name));
};

const YAML = `name: late
source:
  tables:
    orders: { files: data/orders/*.parquet }
    items: { files: [./items/a.parquet, /elsewhere/b.parquet, "s3://bucket/c.parquet"] }
features:
  sqlFile: features.sql
  label: late
train:
  trainer: { command: [python3, trainers/mine.py, --depth, "3", ./trainers/other.py] }
  sede: 3
gates:
  - kind: rows
    minimum: 3
`;

describe('a YAML file', () => {
  it('gets its SQL, and paths beside it become absolute', async () => {
    const { pipeline } = await read('pipeline.yaml', YAML);
    expect(pipeline).toMatchObject({
      source: { tables: { orders: { files: join(folder, 'data/orders/*.parquet') }, items: { files: [join(folder, 'items/a.parquet'), '/elsewhere/b.parquet', 's3://bucket/c.parquet'] } } },
      features: { sql: 'select 1', label: 'late' },
      train: { trainer: { command: ['python3', join(folder, 'trainers/mine.py'), '--depth', '3', join(folder, 'trainers/other.py')] } },
    });
    expect((pipeline['features'] as object)).not.toHaveProperty('sqlFile');
  });

  it('knows the line of a path', async () => {
    const { lineOf } = await read('lines.yaml', YAML);
    expect(['train.sede', 'gates[0].minimum', 'source.tables.items.files', 'name', 'nowhere'].map(lineOf)).toEqual([11, 14, 5, 1, 1]);
  });

  it.each([
    ['broken YAML', 'a: [1\nb: 2', /pipeline.*:\d+: the YAML is not valid/],
    ['a duplicate key', 'name: a\nname: b', /:2: .*unique/],
    ['a list', '- a', /holds no pipeline/],
    ['a missing SQL file', 'name: a\nfeatures: { sqlFile: nothing.sql }', /no file .*nothing\.sql/],
    ['both SQL and a file', 'name: a\nfeatures: { sqlFile: features.sql, sql: select }', /both sql and sqlFile/],
  ])('with %s is refused as usage', async (_what, text, message) => {
    await expect(read('pipeline-wrong.yaml', text)).rejects.toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(message) });
  });
});

describe('a module', () => {
  it('exports its pipeline', async () => {
    const { pipeline } = await read('pipeline.mjs', `export const pipeline = { name: 'late', source: { tables: { orders: { files: 'orders.csv' } } } };`);
    expect(pipeline).toMatchObject({ name: 'late', source: { tables: { orders: { files: join(folder, 'orders.csv') } } } });
  });
  it('without one, or that throws, is refused as usage', async () => {
    await expect(read('none.mjs', 'export const other = 1;')).rejects.toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(/exports no `pipeline`/) });
    await expect(read('throws.mjs', 'throw new Error("no trainer")')).rejects.toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(/no trainer/) });
  });
  it('that is not there is refused as usage', async () => {
    await expect(readPipelineFile(join(folder, 'absent.yaml'))).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});

describe('the template of init', () => {
  it('is valid as it stands, without a warning', async () => {
    const { pipeline } = await readPipelineFile(new URL('../../../cli/templates/tabular/pipeline.yaml', import.meta.url).pathname);
    const spec = validatePipeline({ value: pipeline, lineOf: () => undefined }, 'my-pipeline');
    expect(warningsOf(spec)).toEqual([]);
  });
});
