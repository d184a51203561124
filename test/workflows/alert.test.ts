import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { AlertsSpec, type AlertInput, type AlertOccurrence } from '../../contracts/alert.ts';
import { acknowledgeAlertUpdate, alertOccurrenceSignal, alertStatusQuery, resolveAlertUpdate, silenceChangedSignal } from '../../contracts/messages.ts';
import { deliveryIdOf } from '../../domain/incident.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import type { Scenario } from './support/world.ts';

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const inputOf = (model: string, policy: Parameters<typeof AlertsSpec.parse>[0] = {}): AlertInput => ({
  model,
  kind: 'drift',
  subject: 'champion',
  pipeline: model,
  policy: AlertsSpec.parse({ receivers: ['team'], ...(policy as object) }),
});

const occurrence = (id: string, firing = true): AlertOccurrence => ({ id, firing, reason: `${firing ? 'drift' : 'clear'} ${id}`, at: '2026-01-01T00:00:00.000Z' });

const tell = ({ pipeline, policy, model }: AlertInput, what: AlertOccurrence): Promise<void> =>
  environment.client.workflow.getHandle(`alert/${model}/drift/champion`).signal(alertOccurrenceSignal, { occurrence: what, pipeline, policy });

const incidentOf = async (handle: WorkflowHandle) => {
  const { alert } = await handle.query(alertStatusQuery);
  if (alert === null) throw new Error('there is no incident');
  return alert;
};

const statesSent = (scenario: Scenario): string[] => scenario.messages.map(({ receiver, alert }) => `${alert.state} to ${receiver}`);
const messagesOf = (scenario: Scenario, count: number): Promise<void> => expect.poll(() => scenario.messages.length, { timeout: 20_000 }).toBe(count);

describe('an incident', () => {
  it('flaps a hundred times within its hold time, is told once, and once more when it is over', async () => {
    const scenario = environment.world.scenario('flapping');
    const input = inputOf('flapping', { resolveAfterSeconds: 3_600, escalateAfterSeconds: 604_800 });
    const handle = await environment.reportAlert(input, occurrence('0'));
    for (let flap = 1; flap <= 100; flap += 1) {
      await tell(input, occurrence(`clear-${flap}`, false));
      await tell(input, occurrence(`again-${flap}`));
      if (flap % 10 === 0) await environment.temporal.sleep('20 minutes');
    }
    await expect.poll(async () => (await incidentOf(handle)).occurrences, { timeout: 20_000 }).toBe(101);
    expect(statesSent(scenario)).toEqual(['open to team']);
    await tell(input, occurrence('clear', false));
    expect(await handle.result()).toMatchObject({ state: 'resolved' });
    expect(statesSent(scenario)).toEqual(['open to team', 'resolved to team']);
    expect(scenario.alertRecords.at(-1)?.alert).toMatchObject({ state: 'resolved', resolvedBy: 'cleared', occurrences: 101 });
  });

  it('is escalated when nobody acknowledges it, and not when somebody does', async () => {
    const scenario = environment.world.scenario('waking');
    const input = inputOf('waking', { escalateAfterSeconds: 900, escalateTo: ['boss'] });
    const handle = await environment.reportAlert(input, occurrence('a'));
    await environment.temporal.sleep('16 minutes');
    await messagesOf(scenario, 2);
    expect(statesSent(scenario)).toEqual(['open to team', 'escalated to boss']);
    const { alertId } = await incidentOf(handle);
    await handle.executeUpdate(acknowledgeAlertUpdate, { args: [{ by: 'ada', comment: 'on it', alertId }] });
    await messagesOf(scenario, 4);
    // Both at once: in no order.
    expect(statesSent(scenario).slice(2).sort()).toEqual(['acknowledged to boss', 'acknowledged to team']);
    expect(await incidentOf(handle)).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'ada', comment: 'on it' });
    await handle.executeUpdate(resolveAlertUpdate, { args: [{ by: 'bob', comment: '', alertId }] });
    expect(await handle.result()).toMatchObject({ alertId, state: 'resolved' });
    const ids = scenario.messages.map(({ alert, receiver }) => `${deliveryIdOf(alert)} ${receiver}`);
    expect(new Set(ids).size).toBe(ids.length);

    const taken = environment.world.scenario('taken');
    const calm = inputOf('taken', { escalateAfterSeconds: 900 });
    const other = await environment.reportAlert(calm, occurrence('a'));
    const { alertId: otherId } = await incidentOf(other);
    await other.executeUpdate(acknowledgeAlertUpdate, { args: [{ by: 'ada', comment: '', alertId: otherId }] });
    await environment.temporal.sleep('2 days');
    expect(statesSent(taken)).not.toContain('escalated to team');
    await other.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId: otherId }] });
    await other.result();
  });

  it('takes no word for another incident, nor after its end', async () => {
    environment.world.scenario('stale');
    const input = inputOf('stale');
    const handle = await environment.reportAlert(input, occurrence('a'));
    const { alertId } = await incidentOf(handle);
    const other = handle.executeUpdate(acknowledgeAlertUpdate, { args: [{ by: 'ada', comment: '', alertId: 'another' }] });
    await expect(other).rejects.toThrow(WorkflowUpdateFailedError);
    await handle.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId }] });
    await handle.result();
    await expect(handle.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId }] })).rejects.toThrow();
    // The condition comes back: that is another incident.
    const again = await environment.reportAlert(input, occurrence('b'));
    expect((await incidentOf(again)).alertId).not.toBe(alertId);
    await again.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId: (await incidentOf(again)).alertId }] });
    await again.result();
  });

  it('that its occurrence had opened before comes to nothing', async () => {
    const recordAlerts = async ({ records }: { records: { alert: { alertId: string } }[] }) => ({ repeated: records.map(({ alert }) => alert.alertId) });
    const scenario = environment.world.scenario('repeated', { overrides: { recordAlerts } });
    const handle = await environment.reportAlert(inputOf('repeated'), occurrence('old'));
    expect(await handle.result()).toEqual({ alertId: null, state: null });
    expect(scenario.messages).toEqual([]);
  });
});

describe('with faults', () => {
  it('a receiver that is away for an hour hears of it when it is back, a refusing one is left alone', async () => {
    let tries = 0;
    const scenario = environment.world.scenario('away', {
      overrides: {
        deliverAlert: async ({ delivery }, proceed) => {
          if (delivery.receiver === 'strict') return { kind: 'refused', reason: 'the receiver answered 400' };
          tries += 1;
          return tries <= 6 ? { kind: 'unavailable', reason: 'the receiver answered 503' } : proceed();
        },
      },
    });
    const input = inputOf('away', { receivers: ['team', 'strict'], escalateAfterSeconds: 86_400 });
    const handle = await environment.reportAlert(input, occurrence('a'));
    await environment.temporal.sleep('35 minutes');
    await messagesOf(scenario, 1);
    expect(tries).toBe(7);
    expect((await handle.query(alertStatusQuery)).deliveries).toEqual([]);
    await tell(input, occurrence('clear', false));
    await handle.result();
    expect(statesSent(scenario)).toEqual(['open to team', 'resolved to team']);
  });

  it('every activity fails twice before it works, and every state is told once', async () => {
    const failing = new Map<string, number>();
    const failTwice = (what: string): void => {
      const times = (failing.get(what) ?? 0) + 1;
      failing.set(what, times);
      if (times <= 2) throw new Error(`${what}: the database is away`);
    };
    const scenario = environment.world.scenario('faulty', {
      overrides: {
        recordAlerts: async ({ records }, proceed) => {
          failTwice(`record ${records.at(-1)?.alert.state}`);
          return proceed();
        },
        // The message went out, and the worker died before it could say so: it goes out again under the same id.
        deliverAlert: async ({ delivery }, proceed) => {
          const outcome = await proceed();
          failTwice(`send ${delivery.alert.state}`);
          return outcome;
        },
      },
    });
    const input = inputOf('faulty', { escalateAfterSeconds: 600, resolveAfterSeconds: 60 });
    const handle = await environment.reportAlert(input, occurrence('a'));
    await environment.temporal.sleep('11 minutes');
    await tell(input, occurrence('clear', false));
    await handle.result();
    const ids = scenario.messages.map(({ alert }) => deliveryIdOf(alert));
    expect(ids.length).toBe(9);
    // What a receiver that drops repeats by id sees.
    expect([...new Set(ids)].map((id) => id.split('.').at(-1))).toEqual(['open', 'escalated', 'resolved']);
  });

  it('a silence holds messages back until it ends, or is ended', async () => {
    let untilMs = (await environment.temporal.currentTimeMs()) + 7_200_000;
    const deliverAlert = async (_input: object, proceed: () => Promise<{ kind: 'sent' } | unknown>) => {
      const nowMs = await environment.temporal.currentTimeMs();
      return (nowMs < untilMs ? { kind: 'silenced', untilMs } : await proceed()) as { kind: 'sent' };
    };
    const scenario = environment.world.scenario('hushed', { overrides: { deliverAlert } });
    const input = inputOf('hushed', { escalateAfterSeconds: 604_800 });
    const handle = await environment.reportAlert(input, occurrence('a'));
    await environment.temporal.sleep('1 hour');
    expect(scenario.messages).toEqual([]);
    expect((await handle.query(alertStatusQuery)).deliveries).toMatchObject([{ state: 'open', silenced: true }]);
    await environment.temporal.sleep('61 minutes');
    await messagesOf(scenario, 1);
    untilMs = (await environment.temporal.currentTimeMs()) + 86_400_000;
    const { alertId } = await incidentOf(handle);
    await handle.executeUpdate(acknowledgeAlertUpdate, { args: [{ by: 'ada', comment: '', alertId }] });
    await environment.temporal.sleep('1 minute');
    expect(scenario.messages.length).toBe(1);
    untilMs = 0;
    await handle.signal(silenceChangedSignal);
    await messagesOf(scenario, 2);
    await handle.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId }] });
    await handle.result();
  });
});

it('a storm of occurrences stays within the limits of a history, and no occurrence is lost', async () => {
  const scenario = environment.world.scenario('stormy-alert');
  const input = inputOf('stormy-alert', { escalateAfterSeconds: 604_800 });
  const first = await environment.reportAlert(input, occurrence('first'));
  for (let batch = 0; batch < 3; batch += 1) {
    await Promise.all(Array.from({ length: 400 }, (_, index) => tell(input, occurrence(`${batch}/${index}`))));
  }
  const latest = environment.client.workflow.getHandle(first.workflowId);
  await expect.poll(async () => (await incidentOf(latest)).occurrences, { timeout: 30_000 }).toBe(1_201);
  // The time-skipping server never answers an update that comes while the execution continues as new: none is about to with so short a history.
  await expect.poll(async () => (await latest.describe()).historyLength, { timeout: 30_000 }).toBeLessThan(1_000);
  expect((await latest.describe()).runId).not.toBe(first.signaledRunId);
  expect(statesSent(scenario)).toEqual(['open to team']);
  const { alertId } = await incidentOf(latest);
  await latest.executeUpdate(resolveAlertUpdate, { args: [{ by: 'ada', comment: '', alertId }] });
  await latest.result();
  expect(scenario.alertRecords.at(-1)?.alert).toMatchObject({ alertId, occurrences: 1_201, state: 'resolved' });
});
