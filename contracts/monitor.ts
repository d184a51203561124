/** Monitoring of a deployed model: windows of the prediction log, drift, quality. */
import { z } from 'zod';

/**
 * A window closes when it holds `rows` predictions of the champion; the monitor looks every `everySeconds`.
 * Drift: the population stability index (PSI) of each input column against the training rows; a column has drifted above
 * `columnThreshold`; the drift score is the share of drifted columns, and drift is detected at `shareThreshold`.
 * Quality: the metric over the labelled rows of a window against the value with which the champion was judged;
 * a drop of more than `maximumDrop` in a window with at least `minimumLabels` labels is a quality drop.
 */
export const MonitorSpec = z.strictObject({
  everySeconds: z.number().min(0.5).max(86_400).default(60),
  rows: z.number().int().min(10).max(10_000_000).default(1_000),
  drift: z
    .strictObject({
      columnThreshold: z.number().positive().default(0.2),
      shareThreshold: z.number().min(0).max(1).default(0.3),
    })
    .prefault({}),
  quality: z
    .strictObject({
      metric: z.literal('rocAuc').default('rocAuc'),
      maximumDrop: z.number().min(0).max(1).default(0.05),
      minimumLabels: z.number().int().min(1).default(500),
    })
    .prefault({}),
});
export type MonitorSpec = z.infer<typeof MonitorSpec>;

export const ColumnDrift = z.strictObject({ column: z.string(), psi: z.number(), drifted: z.boolean() });
export type ColumnDrift = z.infer<typeof ColumnDrift>;

/** One closed window. `quality` is null until enough labels have come; late labels change it, once each. */
export type MonitorWindow = {
  window: number;
  version: number;
  from: string;
  to: string;
  rows: number;
  labelled: number;
  driftScore: number;
  drifted: boolean;
  columns: ColumnDrift[];
  quality: number | null;
  judgedQuality: number | null;
  qualityDropped: boolean;
};

/** Input of the `modelMonitor` workflow; `cursor` is carried over continue-as-new. */
export type MonitorInput = {
  model: string;
  pipeline: string;
  version: number;
  spec: MonitorSpec;
  resume?: { nextWindow: number; windowsReported: string[] };
};

export type MonitorStatus = {
  model: string;
  version: number;
  windows: number;
  lastWindow: MonitorWindow | null;
  lastDecision: string | null;
};
