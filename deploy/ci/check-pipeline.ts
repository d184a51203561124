/**
 * What a pull request can be told of a pipeline on one machine, without Temporal, PostgreSQL or an API: is the pipeline valid, are its files there and readable, do
 * its data checks hold, does its feature SQL give a feature set.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findSourceFiles } from '../../activities/source-files.ts';
import { createDataEngine } from '../../adapters/duckdb/index.ts';
import { RequestRefused } from '../../api/http/problem.ts';
import { validatePipeline } from '../../api/pipelines/validate.ts';
import type { CheckResult } from '../../contracts/check-report.ts';
import type { DataCheck, FileCheck } from '../../contracts/data-check.ts';
import type { ModelPipelineSpec, PipelineSpec } from '../../contracts/pipeline.ts';
import { nameOfCheck } from '../../domain/check-names.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { DataEngine, LocalTable } from '../../domain/ports/data-engine.ts';
import type { CiCase } from './report.ts';

type Suite = CiCase['suite'];
type Given = { pipeline: Record<string, unknown>; lineOf(path: string): number | undefined };

const passed = (suite: Suite, name: string, message = ''): CiCase => ({ suite, name, state: 'passed', message, details: [] });
const failed = (suite: Suite, name: string, message: string, details: string[] = []): CiCase => ({ suite, name, state: 'failed', message, details });

/** A mistake of the user is a failed case; anything else is a fault of ours, and ends the command. */
const asCase = (suite: Suite, name: string, error: unknown): CiCase => {
  if (error instanceof PerennialFailure) return failed(suite, name, error.message, [`fix: ${error.fix}`]);
  throw error;
};

const schemaCases = ({ pipeline, lineOf }: Given): { spec?: PipelineSpec; cases: CiCase[] } => {
  const name = typeof pipeline['name'] === 'string' ? pipeline['name'] : '';
  try {
    return { spec: validatePipeline({ value: pipeline, lineOf: () => undefined }, name), cases: [passed('schema', 'the pipeline is valid')] };
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    return { cases: error.errors.map(({ path, message, fix }) => failed('schema', path === '' ? 'pipeline' : path, message, [...(lineOf(path) === undefined ? [] : [`line ${lineOf(path)}`]), `fix: ${fix}`])) };
  }
};

/** Whoever runs the command may read what it may read: no folder is out of bounds. */
const readSources = async (spec: ModelPipelineSpec, engine: DataEngine): Promise<LocalTable[]> => {
  const found = await findSourceFiles(spec.source, ['/']);
  const tables: LocalTable[] = found.map(({ name, format, masked, files }) => ({ name, format, files: files.map(({ location }) => location), ...(masked === undefined ? {} : { masked }) }));
  const inspected = await engine.inspect(tables);
  return tables.map((table, index) => ({ ...table, columns: (inspected[index]?.columns ?? []).map(({ name, type }) => ({ name, type })) }));
};

const place = (file: string | null, row: number | null): string => (file === null ? '' : `${relative(process.cwd(), file)} row ${row}: `);

const caseOf = (result: CheckResult): CiCase => ({
  suite: 'quality',
  name: `${result.check} on ${result.table}`,
  state: result.passed ? 'passed' : result.severity === 'warn' ? 'warned' : 'failed',
  message: result.passed || result.failingRows === 0 ? result.message : `${result.message} (${(result.share * 100).toPrecision(2)} %)`,
  details: result.examples.map(({ file, row, values }) => `${place(file, row)}${values}`),
});

const isOnFiles = (check: DataCheck): check is FileCheck => check.kind !== 'distribution';

const qualityCases = async (spec: ModelPipelineSpec, tables: LocalTable[], engine: DataEngine): Promise<CiCase[]> => {
  const results = await engine.check({ tables, checks: spec.checks.filter(isOnFiles), atMs: Date.now() });
  // Not here does not mean passed: it is told.
  const elsewhere = spec.checks.filter((check) => !isOnFiles(check)).map((check): CiCase => ({ suite: 'quality', name: `${nameOfCheck(check)} on ${check.table}`, state: 'skipped', message: 'it compares with a recorded version, and is run in the pipeline', details: [] }));
  return [...results.map(caseOf), ...elsewhere];
};

const featureCase = async (spec: ModelPipelineSpec, tables: LocalTable[], engine: DataEngine, folder: string): Promise<CiCase> => {
  const name = 'the feature SQL gives a feature set';
  const output = join(folder, 'features');
  await mkdir(output);
  try {
    const { trainRows, holdoutRows } = await engine.buildFeatures({ tables, features: spec.features, split: spec.split, folder: output });
    return passed('features', name, `${trainRows} rows to train on, ${holdoutRows} held out`);
  } catch (error) {
    return asCase('features', name, error);
  }
};

const dataCases = async (spec: ModelPipelineSpec, folder: string): Promise<CiCase[]> => {
  const engine = createDataEngine({ scratchFolder: join(folder, 'scratch') });
  let tables: LocalTable[];
  try {
    tables = await readSources(spec, engine);
  } catch (error) {
    return [asCase('data', 'the source files can be read', error)];
  }
  const read = passed('data', 'the source files can be read', `${tables.reduce((sum, { files }) => sum + files.length, 0)} files of ${tables.length} tables`);
  return [read, ...(await qualityCases(spec, tables, engine)), await featureCase(spec, tables, engine, folder)];
};

/** Every case, in the order in which they were judged. */
export const checkPipeline = async (given: Given): Promise<CiCase[]> => {
  const { spec, cases } = schemaCases(given);
  if (spec === undefined || spec.kind !== 'model') return cases;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-ci-'));
  try {
    return [...cases, ...(await dataCases(spec, folder))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
