/** Where else to look at a run. */
import type { ApiDependencies } from '../dependencies.ts';

type Temporal = ApiDependencies['temporal'];

/** A workflow in the Temporal Web UI. */
export const temporalLink = ({ uiUrl, namespace }: Temporal, workflowId: string): string =>
  `${uiUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;

/** A schedule in the Temporal Web UI. */
export const scheduleLink = ({ uiUrl, namespace }: Temporal, scheduleId: string): string =>
  `${uiUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/schedules/${encodeURIComponent(scheduleId)}`;

export const runLinks = (temporal: Temporal, { runId, workflowId }: { runId: string; workflowId: string }) => ({
  self: `/api/v1/runs/${encodeURIComponent(runId)}`,
  events: `/api/v1/runs/${encodeURIComponent(runId)}/events`,
  temporal: temporalLink(temporal, workflowId),
});
