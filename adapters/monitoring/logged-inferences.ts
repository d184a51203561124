/** Looks answers up in the prediction log by their ids. */
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { findInference, type LoggedInference } from './find-inference.ts';

export type LoggedInferences = {
  /**
   * The first row of an answer; undefined when the log does not have it (yet: gateways ship it every few seconds).
   * An id that a gateway made holds its time, so that few segments are read; of a client's own id the newest segments are read.
   */
  find(model: string, inferenceId: string): Promise<LoggedInference | undefined>;
};

export type LoggedInferencesSources = {
  artifacts: ArtifactStore;
  /** Segments with answers of a time, the earliest first; without a time the newest ones. */
  segmentsAround(model: string, time: { fromMs: number; toMs: number } | undefined, most: number): Promise<ArtifactRef[]>;
  scratch(purpose: string): Promise<{ folder: string; dispose(): Promise<void> }>;
};

/** A segment is a few megabytes at most. */
const MOST_SEGMENTS = 100;
/** An answer is logged when it leaves: at most this long after its id was made. */
const LONGEST_ANSWER_MS = 600_000;

/** Milliseconds since the epoch in a UUIDv7 (RFC 9562, 5.7); undefined for other ids. */
export const timeOfId = (id: string): number | undefined =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\/\d+)?$/.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;

export const createLoggedInferences = ({ artifacts, segmentsAround, scratch }: LoggedInferencesSources): LoggedInferences => ({
  find: async (model, inferenceId) => {
    const madeAtMs = timeOfId(inferenceId);
    const time = madeAtMs === undefined ? undefined : { fromMs: madeAtMs, toMs: madeAtMs + LONGEST_ANSWER_MS };
    const segments = await segmentsAround(model, time, MOST_SEGMENTS);
    if (segments.length === 0) return undefined;
    const room = await scratch('find-inference');
    try {
      return await findInference(inferenceId, { segments, artifacts, folder: room.folder });
    } finally {
      await room.dispose();
    }
  },
});
