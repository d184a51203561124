/** Answers of the API, typed just as far as the command line reads them: it knows the API by HTTP alone. */
import type { Use } from './resources.ts';

export type Failure = { code: string; message: string; fix: string; logTail?: string[] };

export type Progress = { done: number; total: number; metrics?: Record<string, number>; what?: string };

export type StepState = 'notStarted' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'reused' | 'skipped';

export type Step = {
  name: string;
  state: StepState;
  waitingFor: string | null;
  attempts: number;
  failure: Failure | null;
  durationMs: number | null;
  progress?: Progress | null;
  heartbeatAgeSeconds?: number | null;
};

/** Business endings say why. */
export type Outcome = { kind: string; reasons?: string[]; reason?: string };

export type RunSummary = { runId: string; state: string; pipelineVersion: number | null; trigger: { kind: string } | null; startedAt: string | null; durationMs: number | null };

export type RunReason = { kind: string; reason: string; events: number; started: boolean };

export type Run = RunSummary & {
  /** Absent in answers of an older API. */
  resources?: Use | null;
  currency?: string | null;
  reasons?: RunReason[];
  waitingFor: string | null;
  degraded: string | null;
  outcome: Outcome | null;
  failure: Failure | null;
  steps: Step[];
  links: { temporal: string };
};

export type StartedRun = { runId: string; links: { temporal: string } };

export type Trials = {
  metric: string | null;
  planned: number;
  best: number | null;
  trials: { number: number; state: string; value: number | null; seconds: number | null; params: Record<string, string | number | boolean>; failure: Failure | null }[];
};

export type RunEnd = { state: string; outcome: Outcome | null; failure: Failure | null };

export type RolloutStatus = { step: number; steps: number; weight: number; state: string; waitingFor: string | null; lastVerdict: { verdict: string; reason: string } | null };

export type Deployment = {
  model: string;
  generation: number;
  split: { stable: number | null; canary: number | null; canaryWeight: number };
  versions: Record<string, unknown>[];
  gateways: { gateway: string; url: string; live: boolean; acknowledgedGeneration: number | null; error: string | null }[];
  orphaned: boolean;
  rollout: { state: 'running' | 'orphaned' | 'finished' | 'unknown'; version: number | null; status: RolloutStatus | null; outcome: Outcome | null } | null;
};

export type Dataset = { name: string; version: string; rows: number; bytes: number; createdAt: string; runId: string };

export type Trigger = { pipeline: string; kind: string; reason: string; outcome: string; runId: string | null; coalescedInto: string | null; rejection: string | null; at: string };

export type MonitorWindow = {
  window: number;
  rows: number;
  labelled: number;
  driftScore: number;
  drifted: boolean;
  quality: number | null;
  judgedQuality: number | null;
  qualityDropped: boolean;
  judgedBy?: 'labels' | 'estimate' | null;
  estimatedQuality?: number | null;
  concept?: { detector: string; detected: boolean; warning: boolean; labels: number } | null;
  inputs?: { refused: number; refusedShare: number; unlikeTraining: number } | null;
};

export type Alert = {
  alertId: string;
  model: string;
  kind: string;
  subject: string;
  state: string;
  reason: string;
  occurrences: number;
  openedAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  comment: string | null;
};

export type AlertDelivery = { state: string; receiver: string; status: string; attempts: number; error: string | null; sentAt: string | null };

export type Silence = { silenceId: string; active: boolean; matcher: unknown; startsAt: string; endsAt: string; createdBy: string; comment: string };
export type Schedule = {
  pipeline: string;
  name: string;
  origin: string;
  timing: string;
  synced: boolean;
  syncError: string | null;
  degraded: string | null;
  live: { paused: boolean; note: string | null; next: string[]; taken: number; skippedByOverlap: number; missedCatchup: number; droppedFromBuffer: number } | null;
  links: { temporal: string };
};

export type ScheduleTick = { at: string; outcome: string; runId: string | null; coalescedInto: string | null; rejection: string | null };
