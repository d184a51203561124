/** Reads the example's pipeline.yaml as `perennial apply` does, with its source in the folder where partitions arrive. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const EXAMPLE_FOLDER = resolve(import.meta.dirname, '..');

export type FlightDelaysPipeline = {
  name: string;
  source: { tables: Record<string, { files: string }> };
  features: { sql: string; identity: string[]; eventTime: string; label: string; columns: { name: string; type: string; missing?: string }[] };
  train: { trainer: unknown; params: Record<string, number | string | boolean>; [key: string]: unknown };
  gates: Record<string, unknown>[];
  rollout: { steps: Record<string, number>[]; [key: string]: unknown };
  [key: string]: unknown;
};

/** The pipeline of `file` with its SQL inline (from `sqlFile` beside it) and its tables read from `arrivals`. */
export const loadPipeline = (arrivals: string, { sqlFile, file = 'pipeline.yaml' }: { sqlFile?: string; file?: string } = {}): FlightDelaysPipeline => {
  const pipeline = parse(readFileSync(join(EXAMPLE_FOLDER, file), 'utf8')) as FlightDelaysPipeline & { features: { sqlFile?: string } };
  const { sqlFile: declared, ...features } = pipeline.features;
  features.sql = readFileSync(join(EXAMPLE_FOLDER, sqlFile ?? declared ?? 'features.sql'), 'utf8');
  const tables = Object.fromEntries(
    Object.entries(pipeline.source.tables).map(([name, table]) => [name, { ...table, files: join(arrivals, table.files.replace(/^data\//, '')) }]),
  );
  return { ...pipeline, source: { ...pipeline.source, tables }, features };
};

/** New data arrives: the partitions of these months (YYYY-MM) are copied in; planes.parquet comes with the first. */
export const deliverMonths = (arrivals: string, months: string[]): void => {
  const data = join(EXAMPLE_FOLDER, 'data');
  for (const table of ['flights', 'weather', 'planes']) mkdirSync(join(arrivals, table), { recursive: true });
  copyFileSync(join(data, 'planes', 'planes.parquet'), join(arrivals, 'planes', 'planes.parquet'));
  for (const month of months) {
    for (const table of ['flights', 'weather']) copyFileSync(join(data, table, `${month}.parquet`), join(arrivals, table, `${month}.parquet`));
  }
};
