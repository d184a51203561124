/** Histories of incidents. */
import { AlertsSpec, type AlertInput, type DeliveryOutcome } from '../../contracts/alert.ts';
import { acknowledgeAlertUpdate, alertStatusQuery, resolveAlertUpdate } from '../../contracts/messages.ts';
import type { Case } from './cases.ts';

const alertInput = (name: string, policy: object = {}): AlertInput => ({
  model: name,
  kind: 'drift',
  subject: 'champion',
  pipeline: name,
  policy: AlertsSpec.parse({ receivers: ['team', 'boss'], escalateAfterSeconds: 900, ...policy }),
});

const occurrence = (id: string, firing = true) => ({ id, firing, reason: 'a test', at: '2026-01-01T00:00:00.000Z' });

export const alertCases = {
  'alert-cleared': async (environment, name) => {
    const input = alertInput(name, { groupWaitSeconds: 60 });
    const handle = await environment.reportAlert(input, occurrence('a'));
    await environment.reportAlert(input, occurrence('b'));
    await environment.temporal.sleep('20 minutes');
    await environment.reportAlert(input, occurrence('c', false));
    await handle.result();
    return { workflowId: handle.workflowId, runId: handle.signaledRunId };
  },
  'alert-acknowledged': async (environment, name) => {
    const deliverAlert = async ({ delivery }: { delivery: { attempts: number } }, proceed: () => Promise<DeliveryOutcome>) =>
      delivery.attempts < 2 ? ({ kind: 'unavailable', reason: 'a test' } as const) : proceed();
    environment.world.scenario(name, { overrides: { deliverAlert } });
    const handle = await environment.reportAlert(alertInput(name), occurrence('a'));
    await environment.temporal.sleep('5 minutes');
    const alertId = (await handle.query(alertStatusQuery)).alert?.alertId ?? '';
    await handle.executeUpdate(acknowledgeAlertUpdate, { args: [{ by: 'grace', comment: 'because', alertId }] });
    await environment.temporal.sleep('1 day');
    await handle.executeUpdate(resolveAlertUpdate, { args: [{ by: 'grace', comment: 'because', alertId }] });
    await handle.result();
    return { workflowId: handle.workflowId, runId: handle.signaledRunId };
  },
  'alert-repeated': async (environment, name) => {
    environment.world.scenario(name, { overrides: { recordAlerts: async ({ records }) => ({ repeated: records.map(({ alert }) => alert.alertId) }) } });
    const handle = await environment.reportAlert(alertInput(name), occurrence('a'));
    await handle.result();
    return { workflowId: handle.workflowId, runId: handle.signaledRunId };
  },
  'alert-continued': async (environment, name) => {
    const before = alertInput(`${name}-before`);
    const earlier = await environment.reportAlert(before, occurrence('a'));
    await environment.temporal.sleep('1 minute');
    const { alert } = await earlier.query(alertStatusQuery);
    if (alert === null) throw new Error('there is no incident');
    const incident = { ...alert, model: name, pipeline: name, announced: true, clearSinceMs: null, told: ['team'] };
    const delivery = { receiver: 'boss', alert: { ...alert, model: name }, attempts: 1, dueAtMs: await environment.temporal.currentTimeMs(), silenced: false };
    const handle = await environment.startAlert({ ...alertInput(name), resume: { incident, deliveries: [delivery], records: [], seen: ['a'] } });
    await environment.temporal.sleep('20 minutes');
    await environment.reportAlert(alertInput(name), occurrence('b', false));
    await environment.reportAlert(before, occurrence('b', false));
    await earlier.result();
    await handle.result();
    return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
  },
} satisfies Record<string, Case>;
