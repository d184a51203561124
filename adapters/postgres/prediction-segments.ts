/** Where the rows of the prediction log lie, and the labels that came for them: the rows behind adapters/monitoring. */
import { sql, type Kysely } from 'kysely';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

/** A segment that holds rows of a version; `firstRow` is the number of its first one among all rows of the version. */
export type VersionSegment = { artifact: ArtifactRef; firstRow: number; rows: number };

/** `receivedAtMs` is in milliseconds since the epoch. */
export type ArrivedLabel = { label: number; receivedAtMs: number };

export type PredictionSegments = {
  /** Segments that hold rows `from` (inclusive) to `to` (exclusive) of a version, in their order. */
  segmentsOf(model: string, version: number, from: number, to: number): Promise<VersionSegment[]>;
  /** Segments with answers given in a time, the earliest first; without a time the newest `most`. */
  segmentsAround(model: string, time: { fromMs: number; toMs: number } | undefined, most: number): Promise<ArtifactRef[]>;
  /** Labels by inference id, as far as they have come, with the time of their arrival. */
  labelsOf(model: string, inferenceIds: readonly string[]): Promise<Map<string, ArrivedLabel>>;
};

const segmentsOf = (model: string, version: string, from: number, to: number) => sql<{ artifact: unknown; first_row: number; rows: number }>`
  select artifact, (last_row - rows)::bigint as first_row, rows from (
    select sequence, artifact, (rows_by_version ->> ${version})::int as rows,
      sum((rows_by_version ->> ${version})::int) over (order by sequence) as last_row
    from prediction_segments where model = ${model} and rows_by_version ? ${version}) segment
  where last_row > ${from} and last_row - rows < ${to} order by sequence`;

/** Ids of one question: enough to be few questions, and few enough for one message. */
const IDS_AT_ONCE = 10_000;

/** The rows on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createPredictionSegments = (database: Kysely<Database>): PredictionSegments => ({
  segmentsOf: async (model, version, from, to) => {
    const { rows } = await askDatabase(() => segmentsOf(model, String(version), from, to).execute(database));
    return rows.map((row) => ({ artifact: row.artifact as ArtifactRef, firstRow: row.first_row, rows: row.rows }));
  },
  segmentsAround: async (model, time, most) => {
    const ofModel = database.selectFrom('prediction_segments').select('artifact').where('model', '=', model).limit(most);
    const chosen =
      time === undefined
        ? ofModel.orderBy('sequence', 'desc')
        : ofModel.where('last_at', '>=', new Date(time.fromMs)).where('first_at', '<=', new Date(time.toMs)).orderBy('first_at');
    return (await askDatabase(() => chosen.execute())).map(({ artifact }) => artifact as ArtifactRef);
  },
  labelsOf: async (model, inferenceIds) => {
    const labels = new Map<string, ArrivedLabel>();
    for (let start = 0; start < inferenceIds.length; start += IDS_AT_ONCE) {
      const ids = inferenceIds.slice(start, start + IDS_AT_ONCE);
      const { rows } = await askDatabase(() =>
        sql<{ inference_id: string; label: number; received_at: Date }>`select inference_id, label, received_at from labels
          where model = ${model} and inference_id = any(${ids}::text[])`.execute(database),
      );
      for (const row of rows) labels.set(row.inference_id, { label: row.label, receivedAtMs: row.received_at.getTime() });
    }
    return labels;
  },
});
