/** Four months of daily windows whose labels come 14 days late: what is told, to whom and on which day, by the real monitor and the real incidents. */
import { activityInfo } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { AlertsSpec } from '../../contracts/alert.ts';
import { alertWorkflowId } from '../../contracts/ids.ts';
import { alertOccurrenceSignal } from '../../contracts/messages.ts';
import { MonitorSpec, type MonitorWindow } from '../../contracts/monitor.ts';
import { wantedConditions, windowConditions, type AlertCondition, type NewestWindows } from '../../domain/alerts.ts';
import { monitorWindow } from './support/artifacts.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';

const NAME = 'alert-months';
const DAY_MS = 86_400_000;
const LABEL_DELAY = 14;
const spec = MonitorSpec.parse({ everySeconds: 86_400 });
/** Not whole days, so that nothing hangs on seconds. */
const policy = AlertsSpec.parse({ receivers: ['team'], escalateTo: ['boss'], escalateAfterSeconds: 3.25 * 86_400, resolveAfterSeconds: 2.25 * 86_400, labelsMissingWindows: 30 });

/** The world is another one for forty days, and later for 35 days nobody sends labels. */
const isOther = (day: number): boolean => day >= 20 && day < 60;
const labelsCome = (day: number): boolean => day < 80 || day >= 115;

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const labelled = (window: MonitorWindow): MonitorWindow => {
  const qualityDropped = isOther(window.window);
  return { ...window, labelled: 1_000, quality: qualityDropped ? 0.6 : 0.76, qualityDropped, judgedBy: 'labels' };
};

/** One look: today's window, and the labels of all windows that are old enough. */
const look = (windows: MonitorWindow[]) => {
  const day = windows.length;
  windows.push(monitorWindow(day, 1, { drifted: isOther(day), driftScore: isOther(day) ? 0.5 : 0 }));
  if (labelsCome(day)) windows.forEach((window, index) => (index <= day - LABEL_DELAY && window.labelled === 0 ? (windows[index] = labelled(window)) : undefined));
  return { nextWindow: day + 1, changed: windows.slice(day) };
};

const newestOf = (windows: MonitorWindow[]): NewestWindows => {
  const last = windows.findLast((window) => window.labelled > 0) ?? null;
  return { newest: windows.at(-1) ?? null, labelled: last, estimated: null, withoutLabels: windows.length - 1 - (last?.window ?? -1) };
};

const tell = async ({ kind, subject, occurrence }: AlertCondition): Promise<void> => {
  const input = { model: NAME, kind, subject, pipeline: NAME, policy };
  if (occurrence.firing) return void (await environment.reportAlert(input, occurrence));
  try {
    await environment.client.workflow.getHandle(alertWorkflowId(input)).signal(alertOccurrenceSignal, { occurrence, pipeline: NAME, policy });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
};

it('opens, escalates and resolves each incident once, on its day', async () => {
  const windows: MonitorWindow[] = [];
  const told: string[] = [];
  const holding = new Set<string>();
  const startMs = await environment.temporal.currentTimeMs();
  const dayNow = (): number => Math.floor((activityInfo().scheduledTimestampMs - startMs) / DAY_MS) - 1;
  environment.world.scenario(NAME, {
    overrides: {
      evaluateMonitorWindows: async () => look(windows),
      alertOnWindows: async () => {
        const conditions = windowConditions(newestOf(windows), spec, { policy, at: new Date(activityInfo().scheduledTimestampMs).toISOString() });
        for (const condition of wantedConditions(conditions, policy)) {
          const { kind, occurrence } = condition;
          // Most of the time nothing holds: saying so every day would only take time.
          if (occurrence.firing || holding.delete(kind)) await tell(condition);
          if (occurrence.firing) holding.add(kind);
        }
      },
      deliverAlert: async ({ delivery: { alert, receiver } }) => {
        told.push(`day ${dayNow()}: ${alert.kind} ${alert.state} to ${receiver}`);
        return { kind: 'sent' };
      },
    },
  });
  const monitor = await environment.startMonitor({ model: NAME, pipeline: NAME, version: 1, spec });
  await environment.temporal.sleep('122 days');
  expect(windows.length).toBeGreaterThanOrEqual(120);
  const story = (kind: string, [opens, clears]: [number, number]): string[] => [
    `day ${opens}: ${kind} open to team`,
    `day ${opens + 3}: ${kind} escalated to boss`,
    `day ${clears + 2}: ${kind} resolved to boss`,
    `day ${clears + 2}: ${kind} resolved to team`,
  ];
  const expected = [...story('drift', [20, 60]), ...story('quality', [34, 74]), ...story('labelsMissing', [95, 115])];
  expect([...told].sort()).toEqual(expected.sort());
  await environment.client.workflow.getHandle(monitor.workflowId).terminate();
});
