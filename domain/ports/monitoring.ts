import type { ConceptReport } from '../../contracts/concept-drift.ts';
import type { ColumnDistribution, FeatureColumn, Task } from '../../contracts/features.ts';
import type { LiveInputs } from '../../contracts/live-inputs.ts';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { LabelTimes } from '../../contracts/quality.ts';
import type { ColumnHistogram } from '../../contracts/monitor-report.ts';
import type { ChampionStanding, LedgerPipeline, Trigger, TriggerOutcome, TriggerResolution } from '../../contracts/trigger.ts';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import type { ConceptState } from '../concept-drift/detector.ts';
import type { DriftSide } from '../drift/window-drift.ts';
import type { LabelledRows, SliceColumn } from '../window-quality.ts';

/** Rows of a window that are unlike the training rows, in any column and per column; null where the training rows do not say what is usual. */
export type UnlikeTraining = { rows: number; columns: { column: string; outOfRange: number | null; unseen: number | null }[] };

/** The rows whose label has come, in the order of the predictions, with the values of the columns that quality is sliced by. */
export type LabelledWindow = LabelledRows & { slices: SliceColumn[]; times: LabelTimes | null };

/**
 * One window of the prediction log: distributions of inputs and score, and its rows as quality needs them. `requests` is how many requests its
 * rows came in; `scores` are those of all rows, in their order.
 */
export type WindowData = {
  from: string;
  to: string;
  rows: number;
  requests: number;
  live: DriftSide;
  unlike: UnlikeTraining;
  scores: Float64Array;
  labelled: LabelledWindow;
};

/** A feature as it is counted. */
export type MonitoredColumn = Pick<FeatureColumn, 'name' | 'type'>;

/** `slices` are names of columns that quality is sliced by; a label that the task does not have is none. */
export type WindowQuestion = {
  model: string;
  version: number;
  task: Task;
  window: number;
  rowsPerWindow: number;
  reference: DriftSide;
  training: ColumnDistribution[];
  slices: string[];
};

/** Reads the prediction log joined with labels. Windows are cut by order of shipping, so they never change once closed. */
export interface PredictionLog {
  /**
   * Rows of window `window` (0-based) of `rowsPerWindow` predictions of a version by the champion or canary, counted so that they can be compared with
   * `reference`, and looked at beside the training rows; undefined while it is not full.
   */
  window(input: WindowQuestion): Promise<WindowData | undefined>;
  /** Rows `from` (inclusive) to `to` (exclusive) of a version, all of which have been logged: what a moving window is compared with. */
  earlier(input: { model: string; version: number; from: number; to: number; columns: MonitoredColumn[] }): Promise<DriftSide>;
}

/** What the detector of concept drift read of a window, and its state after it. */
export type ConceptRecord = { report: ConceptReport; state: ConceptState };

export interface MonitorWindows {
  /**
   * Saves a window and, for reports, the histograms of its columns, of which the newest windows keep theirs. What the detector of concept drift read of
   * it before stays; what it reads now is kept if there was nothing. Gives what is kept.
   */
  save(model: string, window: MonitorWindow, also?: { histograms?: ColumnHistogram[]; concept?: ConceptRecord | undefined }): Promise<ConceptRecord | undefined>;
  concept(model: string, version: number, window: number): Promise<ConceptRecord | undefined>;
  /** The first window that was closed and that no detector has read. */
  nextUnread(model: string, version: number): Promise<{ window: number; rows: number; labelled: number; to: string } | undefined>;
  recordDecision(model: string, version: number, window: number, decision: string): Promise<void>;
  /** Windows of a version with fewer labels than rows, oldest first, for which labels came since they were last judged. */
  awaitingLabels(model: string, version: number, limit: number): Promise<number[]>;
}

/** Requests that no version could read. */
export interface InputRefusals {
  /** Refusals in the time of a window that ends at `to`, the most frequent first. */
  ofWindow(window: { model: string; version: number; window: number; to: string }): Promise<LiveInputs['refusals']>;
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
