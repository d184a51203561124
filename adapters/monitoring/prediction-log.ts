/**
 * Windows of the prediction log: Parquet segments from the artifact store, cut by the order in which they were shipped, counted by
 * DuckDB. The SQL is ours alone, so it runs in this process; where segments and labels are is told by the caller.
 */
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ReferenceDistribution } from '../../contracts/features.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import type { PredictionLog, WindowData } from '../../domain/ports/monitoring.ts';
import { distributionOf } from './distribution.ts';
import { readLabelledRows, type ArrivedLabel } from './labelled-rows.ts';
import { countUnlikeTraining } from './unlike-training.ts';
import { loadWindow, spanOf, type SegmentFile } from './window-rows.ts';

export type PredictionLogSources = {
  artifacts: ArtifactStore;
  segmentsOf(model: string, version: number, from: number, to: number): Promise<{ artifact: ArtifactRef; firstRow: number; rows: number }[]>;
  labelsOf(model: string, inferenceIds: readonly string[]): Promise<Map<string, ArrivedLabel>>;
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

/** A distribution whose counts do not add up to the rows would be compared wrongly and in silence. */
const requireEveryRow = (distribution: WindowData['distributions'][number], rows: number): void => {
  const counted = distribution.counts.reduce((sum, count) => sum + count, 0) + distribution.missing;
  if (counted !== rows) throw new Error(`the column "${distribution.column}" has ${counted} counted values in a window of ${rows} rows`);
};

const distributionsOf = async (connection: DuckDBConnection, reference: readonly ReferenceDistribution[], rows: number) => {
  const distributions: WindowData['distributions'] = [];
  for (const [index, column] of reference.entries()) {
    const distribution = await distributionOf(connection, column, index);
    requireEveryRow(distribution, rows);
    distributions.push(distribution);
  }
  return distributions;
};

/** The columns of the reference that quality is sliced by; a name that is none of them (any more) has no slices. */
const sliceColumns = (reference: readonly ReferenceDistribution[], slices: readonly string[]): { column: string; number: number }[] =>
  reference.flatMap(({ column }, number) => (slices.includes(column) ? [{ column, number }] : []));

/** @throws PerennialFailure of the store or the database; Error when a segment does not hold the rows that its record says */
export const createPredictionLog = (sources: PredictionLogSources): PredictionLog => ({
  window: async ({ model, version, window, rowsPerWindow, reference, slices }) => {
    const [from, to] = [window * rowsPerWindow, (window + 1) * rowsPerWindow];
    const segments = await sources.segmentsOf(model, version, from, to);
    if (!isFull(segments, to)) return undefined;
    const scratch = await sources.scratch('monitor-window');
    try {
      const files = await downloadAll(sources.artifacts, segments, scratch.folder);
      return await withDuckDb(scratch.folder, async (connection) => {
        await loadWindow(connection, { files, version, from, to, columns: reference.map((column) => column.column) });
        const span = await spanOf(connection);
        if (span.rows !== rowsPerWindow) throw new Error(`window ${window} of ${model} version ${version} has ${span.rows} rows instead of ${rowsPerWindow}`);
        const distributions = await distributionsOf(connection, reference, span.rows);
        const unlike = await countUnlikeTraining(connection, reference);
        const columns = sliceColumns(reference, slices);
        const read = await readLabelledRows(connection, { rows: span.rows, columns, labelsOf: (ids) => sources.labelsOf(model, ids) });
        return { ...span, distributions, unlike, ...read };
      });
    } finally {
      await scratch.dispose();
    }
  },
});
