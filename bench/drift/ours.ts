/** Our drift of two tables, each a list of Parquet files: from the files to the scores, one JSON line. Arguments: reference files, current files, columns; all JSON. */
import { DuckDBInstance } from '@duckdb/node-api';
import { columnDistributions } from '../../adapters/duckdb/column-distributions.ts';
import type { FeatureColumn } from '../../contracts/features.ts';
import { DriftSpec } from '../../contracts/monitor.ts';
import { driftOf } from '../../domain/drift/window-drift.ts';

const [reference = [], current = [], columns = []] = process.argv.slice(2).map((argument) => JSON.parse(argument) as unknown) as [string[], string[], Pick<FeatureColumn, 'name' | 'type'>[]];
const relation = (files: string[]): string => `read_parquet([${files.map((file) => `'${file}'`).join(', ')}])`;

const [started, cpuBefore] = [performance.now(), process.cpuUsage()];
const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '256MB', preserve_insertion_order: 'false' });
const connection = await instance.connect();
const before = await columnDistributions(connection, { relation: relation(reference), columns });
const now = await columnDistributions(connection, { relation: relation(current), columns, reference: before });
const drift = driftOf({ columns: before, prediction: null }, { columns: now, prediction: null }, DriftSpec.parse({}));
const scores = Object.fromEntries(drift.columns.map(({ column, score }) => [column, score]));
const cpu = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1_000, cpuSeconds: (cpu.user + cpu.system) / 1e6, scores }));
connection.closeSync();
instance.closeSync();
