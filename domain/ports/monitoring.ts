import type { ColumnDistribution, FeatureColumn } from '../../contracts/features.ts';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { ColumnHistogram } from '../../contracts/monitor-report.ts';
import type { ChampionStanding, LedgerPipeline, Trigger, TriggerOutcome, TriggerResolution } from '../../contracts/trigger.ts';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import type { DriftSide } from '../drift/window-drift.ts';

/** One window of the prediction log: distributions of inputs and score, and (score, label) pairs of the rows whose label has come. */
export type WindowData = {
  from: string;
  to: string;
  rows: number;
  live: DriftSide;
  scored: { score: number; label: number }[];
};

/** A feature as it is counted. */
export type MonitoredColumn = Pick<FeatureColumn, 'name' | 'type'>;

/** Reads the prediction log joined with labels. Windows are cut by order of shipping, so they never change once closed. */
export interface PredictionLog {
  /**
   * Rows of window `window` (0-based) of `rowsPerWindow` predictions of a version by the champion or canary, counted so that they can be compared with
   * `reference`; undefined while it is not full.
   */
  window(input: { model: string; version: number; window: number; rowsPerWindow: number; reference: DriftSide }): Promise<WindowData | undefined>;
  /** Rows `from` (inclusive) to `to` (exclusive) of a version, all of which have been logged: what a moving window is compared with. */
  earlier(input: { model: string; version: number; from: number; to: number; columns: MonitoredColumn[] }): Promise<DriftSide>;
}

export interface MonitorWindows {
  /** The window and, for reports, the histograms of its columns, of which the newest windows keep theirs. */
  save(model: string, window: MonitorWindow, histograms?: ColumnHistogram[]): Promise<void>;
  recordDecision(model: string, version: number, window: number, decision: string): Promise<void>;
  /** Windows of a version with fewer labels than rows, oldest first, for which labels came since they were last judged. */
  awaitingLabels(model: string, version: number, limit: number): Promise<number[]>;
}

export interface TriggerLedger {
  record(pipeline: string, decisions: { trigger: Trigger; outcome: TriggerOutcome }[]): Promise<void>;
  /** Where a trigger led, through what it was coalesced into. */
  resolve(pipeline: string, triggerId: string): Promise<TriggerResolution>;
}

/** The runs of a model as the trigger ledger weighs them. */
export interface Retrains {
  /** Open runs of the pipeline or its model, and with a period what was spent within it. */
  facts(input: { pipeline: string; model?: string | undefined; periodSeconds?: number | undefined }): Promise<Pick<LedgerPipeline, 'openRuns' | 'spent'>>;
  /** Writes the row of a retrain that ended, once; null for a run without a model, or without an end. */
  record(input: { pipeline: string; runId: string; limit: number }): Promise<ChampionStanding | null>;
}

export interface Pipelines {
  current(pipeline: string): Promise<{ version: number; spec: PipelineSpec } | undefined>;
  version(pipeline: string, version: number): Promise<PipelineSpec | undefined>;
}
