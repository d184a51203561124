/** Looks answers up in the prediction log by their ids. */
import { sql, type Kysely } from 'kysely';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { askDatabase } from '../postgres/client.ts';
import type { Database } from '../postgres/schema.ts';
import type { CreateScratch } from '../objectstore/scratch.ts';
import { findInference, type LoggedInference } from './find-inference.ts';

export type LoggedInferences = {
  /**
   * The first row of an answer; undefined when the log does not have it (yet: gateways ship it every few seconds).
   * An id that a gateway made holds its time, so that few segments are read; of a client's own id the newest segments are read.
   */
  find(model: string, inferenceId: string): Promise<LoggedInference | undefined>;
};

/** Segments that are read for an id without a time: each is a few megabytes at most. */
const NEWEST_SEGMENTS = 100;
/** An answer is logged when it leaves: at most this long after its id was made. */
const LONGEST_ANSWER_MS = 600_000;

/** Milliseconds since the epoch in a UUIDv7 (RFC 9562, 5.7); undefined for other ids. */
export const timeOfId = (id: string): number | undefined => (/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\/\d+)?$/.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined);

const segmentsOf = async (database: Kysely<Database>, model: string, id: string): Promise<ArtifactRef[]> => {
  const madeAtMs = timeOfId(id);
  const newest = database.selectFrom('prediction_segments').select('artifact').where('model', '=', model);
  const chosen =
    madeAtMs === undefined
      ? newest.orderBy('sequence', 'desc').limit(NEWEST_SEGMENTS)
      : newest.where(sql<boolean>`last_at >= ${new Date(madeAtMs)} and first_at <= ${new Date(madeAtMs + LONGEST_ANSWER_MS)}`).orderBy('first_at');
  return (await askDatabase(() => chosen.execute())).map(({ artifact }) => artifact as ArtifactRef);
};

export const createLoggedInferences = ({ database, artifacts, scratch }: { database: Kysely<Database>; artifacts: ArtifactStore; scratch: CreateScratch }): LoggedInferences => ({
  find: async (model, inferenceId) => {
    const segments = await segmentsOf(database, model, inferenceId);
    if (segments.length === 0) return undefined;
    const room = await scratch('find-inference');
    try {
      return await findInference(inferenceId, { segments, artifacts, folder: room.folder });
    } finally {
      await room.dispose();
    }
  },
});
