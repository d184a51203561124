/** What the systems themselves say: Temporal histories and rows of PostgreSQL, never the demo's own variables. */
import { setTimeout as pause } from 'node:timers/promises';
import type { EvaluationReport } from '../../../contracts/model.ts';
import { MODEL, type Stage } from './stage.ts';

const CLOSING_MS = 20_000;

/** How a workflow closed, which is a moment after the row of its end was written: its last activity does that. */
const closeStatus = async (handle: ReturnType<Stage['temporal']['workflow']['getHandle']>): Promise<string> => {
  for (const until = Date.now() + CLOSING_MS; ; await pause(100)) {
    const { name } = (await handle.describe()).status;
    if (name !== 'RUNNING' || Date.now() > until) return name;
  }
};

/** Close status of a workflow that has ended, and the types of the activities that its history says were completed. */
export const historyOf = async (stage: Stage, workflowId: string, runId?: string): Promise<{ status: string; activities: string[]; events: number }> => {
  const handle = stage.temporal.workflow.getHandle(workflowId, runId);
  const status = await closeStatus(handle);
  const history = await handle.fetchHistory();
  const events = history.events ?? [];
  const scheduled = new Map(events.flatMap((event) => (event.activityTaskScheduledEventAttributes ? [[Number(event.eventId), event.activityTaskScheduledEventAttributes.activityType?.name ?? '']] : [])));
  const activities = events.flatMap((event) => (event.activityTaskCompletedEventAttributes ? [scheduled.get(Number(event.activityTaskCompletedEventAttributes.scheduledEventId)) ?? ''] : []));
  return { status, activities, events: events.length };
};

const rows = async <T>(stage: Stage, text: string, values: unknown[]): Promise<T[]> => (await stage.pool.query(text, values)).rows as T[];

export type VersionRow = { version: number; run_id: string; model_sha256: string; evaluation: EvaluationReport; lineage: Record<string, unknown>; trigger: { kind: string; reason: string } };

export const versionRows = (stage: Stage): Promise<VersionRow[]> =>
  rows(stage, 'select v.version, v.run_id, v.model_sha256, v.evaluation, v.lineage, r.trigger from model_versions v join runs r using (run_id) where v.model = $1 order by v.version', [MODEL]);

export const championVersion = async (stage: Stage): Promise<number | null> =>
  (await rows<{ version: number }>(stage, `select version from model_aliases where model = $1 and alias = 'champion'`, [MODEL]))[0]?.version ?? null;

export const promotionCount = async (stage: Stage, version: number): Promise<number> =>
  (await rows<{ count: number }>(stage, 'select count(*)::int as count from promotions where model = $1 and version = $2', [MODEL, version]))[0]?.count ?? 0;

export type RolloutRow = { rollout_id: string; version: number; outcome: { kind: string; reason?: string } | null; plan: { steps: { weight: number }[] } };

export const rolloutRows = (stage: Stage): Promise<RolloutRow[]> =>
  rows(stage, 'select rollout_id, version, outcome, plan from rollouts where model = $1 order by started_at', [MODEL]);

/** Splits that a rollout made, in the order of their generations. */
export const splitsOf = (stage: Stage, rolloutId: string): Promise<{ generation: number; split: { stable: number | null; canary: number | null; canaryWeight: number }; request_id: string }[]> =>
  rows(stage, 'select generation::int as generation, split, request_id from deployment_generations where model = $1 and rollout_id = $2 order by generation', [MODEL, rolloutId]);

/** Answers and failures that the gateways counted for a version. */
export const servedBy = async (stage: Stage, version: number): Promise<{ requests: number; failures: number; fallbacks: number }> => {
  const [sum] = await rows<{ requests: number; failures: number; fallbacks: number }>(
    stage,
    'select coalesce(sum(requests), 0)::int as requests, coalesce(sum(failures), 0)::int as failures, coalesce(sum(fallbacks), 0)::int as fallbacks from serving_counters where model = $1 and version = $2',
    [MODEL, version],
  );
  return sum ?? { requests: 0, failures: 0, fallbacks: 0 };
};

export type WindowRow = { window_number: number; version: number; rows: number; labelled: number; report: { driftScore: number; drifted: boolean; quality: number | null; judgedQuality: number | null; qualityDropped: boolean }; decision: string | null };

export const monitorRows = (stage: Stage): Promise<WindowRow[]> =>
  rows(stage, 'select window_number, version, rows, labelled, report, decision from monitor_windows where model = $1 order by version, window_number', [MODEL]);

export type TriggerRow = { trigger_id: string; kind: string; reason: string; outcome: string; run_id: string | null; coalesced_into: string | null; rejection: string | null };

export const triggerRows = (stage: Stage): Promise<TriggerRow[]> =>
  rows(stage, 'select trigger_id, kind, reason, outcome, run_id, coalesced_into, rejection from triggers where pipeline = $1 order by recorded_at', [MODEL]);
