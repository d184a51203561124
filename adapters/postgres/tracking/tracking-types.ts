/** Shapes that the tracking stores share. */

export type KeyValue = { key: string; value: string };

/** `stages`: active, deleted or both. */
export type SearchRequest = { filter: string | undefined; orderBy: string[]; limit: number; pageToken: string | undefined; stages: string[] };

/** One point of a metric; `timestampMs` since 1970. */
export type MetricPoint = {
  key: string;
  value: number;
  timestampMs: number;
  step: number;
  modelId: string | null;
  datasetName: string | null;
  datasetDigest: string | null;
};
