import type { ReferenceDistribution } from '../../contracts/features.ts';
import type { ConceptReport } from '../../contracts/concept-drift.ts';
import type { LiveInputs } from '../../contracts/live-inputs.ts';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { LabelTimes } from '../../contracts/quality.ts';
import type { Trigger, TriggerOutcome } from '../../contracts/trigger.ts';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import type { ConceptState } from '../concept-drift/detector.ts';
import type { LabelledRows, SliceColumn } from '../window-quality.ts';

/** Counts of live rows in the bins of a reference distribution; the last entry of `counts` is as in the reference. */
export type LiveDistribution = { column: string; counts: number[]; missing: number };

/** Rows of a window that are unlike the training rows, per column; null where the reference does not say what is usual. */
export type UnlikeTraining = { rows: number; columns: { column: string; missing: number; outOfRange: number | null; unseen: number | null }[] };

/** The rows whose label has come, in the order of the predictions, with the values of the columns that quality is sliced by. */
export type LabelledWindow = LabelledRows & { slices: SliceColumn[]; times: LabelTimes | null };

/** One window of the prediction log. `requests` is how many requests its rows came in; `scores` are those of all rows, in their order. */
export type WindowData = {
  from: string;
  to: string;
  rows: number;
  requests: number;
  distributions: LiveDistribution[];
  unlike: UnlikeTraining;
  scores: Float64Array;
  labelled: LabelledWindow;
};

/** Reads the prediction log joined with labels. Windows are cut by order of shipping, so they never change once closed. */
export interface PredictionLog {
  /** Rows of window `window` (0-based) of `rowsPerWindow` predictions of a version by the champion or canary; undefined while it is not full. */
  window(input: { model: string; version: number; window: number; rowsPerWindow: number; reference: ReferenceDistribution[]; slices: string[] }): Promise<WindowData | undefined>;
}

/** What the detector of concept drift read of a window, and its state after it. */
export type ConceptRecord = { report: ConceptReport; state: ConceptState };

export interface MonitorWindows {
  /** Saves a window. What was read of it before stays; what is read now is kept if nothing was. Gives what is kept. */
  save(model: string, window: MonitorWindow, concept?: ConceptRecord): Promise<ConceptRecord | undefined>;
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
}

export interface Pipelines {
  current(pipeline: string): Promise<{ version: number; spec: PipelineSpec } | undefined>;
  version(pipeline: string, version: number): Promise<PipelineSpec | undefined>;
}
