/**
 * Windows of the prediction log: Parquet segments from the artifact store, cut by the order in which they were shipped, counted by
 * DuckDB. The SQL is ours alone, so it runs in this process; where segments and labels are is told by the caller.
 */
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ColumnDistribution } from '../../contracts/features.ts';
import type { DriftSide } from '../../domain/drift/window-drift.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import type { MonitoredColumn, PredictionLog } from '../../domain/ports/monitoring.ts';
import { readLabelledRows, type ArrivedLabel } from './labelled-rows.ts';
import { countUnlikeTraining } from './unlike-training.ts';
import { createValueViews, loadWindow, spanOf, SCORES, VALUES, type SegmentFile } from './window-rows.ts';

export type PredictionLogSources = {
  artifacts: ArtifactStore;
  segmentsOf(model: string, version: number, from: number, to: number): Promise<{ artifact: ArtifactRef; firstRow: number; rows: number }[]>;
  labelsOf(model: string, inferenceIds: readonly string[]): Promise<Map<string, ArrivedLabel>>;
  /** Counts columns of a table: adapters/duckdb/column-distributions.ts. */
  countColumns(
    connection: DuckDBConnection,
    input: { relation: string; columns: readonly MonitoredColumn[]; reference?: readonly ColumnDistribution[] },
  ): Promise<ColumnDistribution[]>;
  scratch(purpose: string): Promise<{ folder: string; dispose(): Promise<void> }>;
};

type Segment = Awaited<ReturnType<PredictionLogSources['segmentsOf']>>[number];

const MEMORY_LIMIT = '512MB';

const withDuckDb = async <T>(folder: string, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: MEMORY_LIMIT, threads: '2', temp_directory: join(folder, 'spill') });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

const downloadAll = async (artifacts: ArtifactStore, segments: readonly Segment[], folder: string): Promise<SegmentFile[]> => {
  const files: SegmentFile[] = [];
  for (const [index, { artifact, firstRow }] of segments.entries()) {
    const path = join(folder, `${index}.parquet`);
    await artifacts.download(artifact, path);
    files.push({ path, firstRow });
  }
  return files;
};

const isFull = (segments: readonly Segment[], to: number): boolean => {
  const last = segments.at(-1);
  return last !== undefined && last.firstRow + last.rows >= to;
};

const SCORE: MonitoredColumn = { name: 'score', type: 'numeric' };

type Rows = { model: string; version: number; from: number; to: number; columns: readonly MonitoredColumn[]; reference?: DriftSide };

const countSide = async (connection: DuckDBConnection, { countColumns }: PredictionLogSources, { columns, reference }: Rows): Promise<DriftSide> => {
  await createValueViews(connection, { columns, reference: reference?.columns ?? [] });
  const scores = await countColumns(connection, { relation: SCORES, columns: [SCORE], reference: reference?.prediction ? [reference.prediction] : [] });
  return { columns: await countColumns(connection, { relation: VALUES, columns, reference: reference?.columns }), prediction: scores[0] ?? null };
};

/** Loads rows of a version into a database of their own, for as long as the work takes; undefined when they have not all been logged. */
const withRows = async <T>(sources: PredictionLogSources, rows: Rows, work: (connection: DuckDBConnection) => Promise<T>): Promise<T | undefined> => {
  const { model, version, from, to, columns } = rows;
  const segments = await sources.segmentsOf(model, version, from, to);
  if (!isFull(segments, to)) return undefined;
  const scratch = await sources.scratch('monitor-window');
  try {
    const files = await downloadAll(sources.artifacts, segments, scratch.folder);
    return await withDuckDb(scratch.folder, async (connection) => {
      await loadWindow(connection, { files, version, from, to, columns: columns.map(({ name }) => name) });
      const { rows: found } = await spanOf(connection);
      if (found !== to - from) throw new Error(`the segments of ${model} version ${version} hold ${found} of the rows ${from} to ${to}`);
      return work(connection);
    });
  } finally {
    await scratch.dispose();
  }
};

/** The columns of the training rows that quality is sliced by; a name that is none of them (any more) has no slices. */
const sliceColumns = (columns: readonly MonitoredColumn[], slices: readonly string[]): { column: string; number: number }[] =>
  columns.flatMap(({ name }, number) => (slices.includes(name) ? [{ column: name, number }] : []));

/** @throws PerennialFailure of the store or the database; Error when a segment does not hold the rows that its record says, or a number that is none */
export const createPredictionLog = (sources: PredictionLogSources): PredictionLog => ({
  window: ({ model, version, task, window, rowsPerWindow, reference, training, slices }) => {
    const columns = training.map(({ column, type }) => ({ name: column, type }));
    const rows = { model, version, from: window * rowsPerWindow, to: (window + 1) * rowsPerWindow, columns, reference };
    const sliced = { task, rows: rowsPerWindow, columns: sliceColumns(columns, slices), labelsOf: (ids: readonly string[]) => sources.labelsOf(model, ids) };
    return withRows(sources, rows, async (connection) => ({
      ...(await spanOf(connection)),
      live: await countSide(connection, sources, rows),
      unlike: await countUnlikeTraining(connection, training),
      ...(await readLabelledRows(connection, sliced)),
    }));
  },
  earlier: async (rows) => {
    const side = await withRows(sources, rows, (connection) => countSide(connection, sources, rows));
    if (side === undefined) throw new Error(`the rows ${rows.from} to ${rows.to} of ${rows.model} version ${rows.version} have not all been logged`);
    return side;
  },
});
