/** Monitoring of a deployed model: windows of the prediction log, drift, quality. */
import { z } from 'zod';
import { ConceptSpec, type ConceptReport } from './concept-drift.ts';
import type { LiveInputs } from './live-inputs.ts';
import { QualitySpec, type EstimatedQuality, type WindowQuality } from './quality.ts';

/**
 * A window closes when it holds `rows` predictions of the champion; the monitor looks every `everySeconds`.
 * Drift: the population stability index (PSI) of each input column against the training rows; a column has drifted above
 * `columnThreshold`; the drift score is the share of drifted columns, and drift is detected at `shareThreshold`.
 * Quality: see QualitySpec. `concept` reads the errors of the labelled rows with a detector of concept drift: see ConceptSpec.
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
  quality: QualitySpec.prefault({}),
  concept: ConceptSpec.optional(),
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
  /** The declared metric over the labels, null until there are enough of them. */
  quality: number | null;
  judgedQuality: number | null;
  qualityDropped: boolean;
  /** Whether labels or, until they come, the estimate said so; null while nothing could. */
  judgedBy?: 'labels' | 'estimate' | null;
  /** What the labels say; absent in a window that a version of before judged, as the rest. */
  performance?: WindowQuality | null;
  estimate?: EstimatedQuality | null;
  concept?: ConceptReport | null;
  inputs?: LiveInputs | null;
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
