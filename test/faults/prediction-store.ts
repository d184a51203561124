/** Reads inference ids out of the shipped prediction log: rows of PostgreSQL name the segments, the artifact store holds them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type pg from 'pg';
import { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';

/** Every inference id that the segments of these models hold. */
export const inferenceIdsOf = async (systems: { pool: pg.Pool; artifacts: ArtifactStore }, models: string[]): Promise<Set<string>> => {
  const { rows } = await systems.pool.query('select artifact from prediction_segments where model = any($1)', [models]);
  const folder = await mkdtemp(join(tmpdir(), 'perennial-checker-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const ids = new Set<string>();
    for (const row of rows as { artifact: unknown }[]) {
      const artifact = ArtifactRef.parse(row.artifact);
      const path = join(folder, `${artifact.sha256}.parquet`);
      await systems.artifacts.download(artifact, path);
      const reader = await connection.runAndReadAll(`select inference_id from read_parquet('${path}')`);
      for (const [id] of reader.getRowsJS()) ids.add(String(id));
    }
    return ids;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
};
