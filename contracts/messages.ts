/** Signals, queries and updates of every workflow: one definition for workflows, API and tests. Zod-free. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AlertOccurrence, AlertsSpec, AlertStatus } from './alert.ts';
import type { MonitorSpec, MonitorStatus } from './monitor.ts';
import type { RolloutStatus } from './rollout.ts';
import type { RunStatus } from './run.ts';
import type { SearchStatus, TrialReport } from './search.ts';
import type { Trigger, TriggersStatus } from './trigger.ts';

export const runStatusQuery = defineQuery<RunStatus>('status');
/** `by` is the name of the API key that decides. */
export const approveUpdate = defineUpdate<void, [{ by: string; comment: string }]>('approve');
export const rejectUpdate = defineUpdate<void, [{ by: string; comment: string }]>('reject');

export const searchStatusQuery = defineQuery<SearchStatus>('status');
/** A trial came to a rung; sent again by an attempt that repeats it. */
export const trialReportedSignal = defineSignal<[TrialReport]>('trialReported');

export const rolloutStatusQuery = defineQuery<RolloutStatus>('status');
export const promoteUpdate = defineUpdate<void, [{ by: string; reason: string }]>('promote');
export const pauseUpdate = defineUpdate<void, [{ by: string; reason: string }]>('pause');
export const resumeUpdate = defineUpdate<void, [{ by: string; reason: string }]>('resume');
export const abortUpdate = defineUpdate<void, [{ by: string; reason: string }]>('abort');

export const monitorStatusQuery = defineQuery<MonitorStatus>('status');
/** Tells the monitor that another version is champion now. */
export const championChangedSignal = defineSignal<[{ version: number; pipeline: string; spec: MonitorSpec }]>('championChanged');

export const submitTriggerSignal = defineSignal<[Trigger]>('submitTrigger');
export const triggersStatusQuery = defineQuery<TriggersStatus>('status');

/** Reports a condition to its incident, with the policy as it is now. */
export const alertOccurrenceSignal = defineSignal<[{ occurrence: AlertOccurrence; pipeline: string; policy: AlertsSpec }]>('occurrence');
/** A silence was ended or changed: what waits for its end is looked at again. */
export const silenceChangedSignal = defineSignal('silenceChanged');
export const alertStatusQuery = defineQuery<AlertStatus>('status');
/** They name the incident that the person saw: the key may have another one by now. */
export const acknowledgeAlertUpdate = defineUpdate<void, [{ by: string; comment: string; alertId: string }]>('acknowledge');
export const resolveAlertUpdate = defineUpdate<void, [{ by: string; comment: string; alertId: string }]>('resolve');
