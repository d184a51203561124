/** The life of an incident without a clock and without effects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertsSpec, type AlertDelivery, type AlertProgress, type DeliveryOutcome } from '../../../contracts/alert.ts';
import { acknowledge, advance, deliveryIdOf, dueDeliveries, forget, isOver, nextDueMs, NO_PROGRESS, receiveOccurrence, resolve, settleDelivery, wakeSilenced } from '../../../domain/incident.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const MINUTE = 60_000;
const policyOf = (changes: Parameters<typeof AlertsSpec.parse>[0] = {}): AlertsSpec => AlertsSpec.parse({ receivers: ['team'], ...(changes as object) });
const subject = (policy: AlertsSpec) => ({ model: 'flights', kind: 'drift' as const, subject: 'champion', pipeline: 'flights', policy });

let made = 0;
const receive = (progress: AlertProgress, policy: AlertsSpec, { id, firing = true, nowMs = T0 }: { id: string; firing?: boolean; nowMs?: number }): AlertProgress => {
  made += 1;
  return receiveOccurrence(progress, { id, firing, reason: `because ${id}`, at: '2026-03-01T00:00:00Z' }, { ...subject(policy), alertId: `incident-${made}`, nowMs });
};
const written = (progress: AlertProgress): AlertProgress => ({ ...progress, records: [] });
const sendAll = (progress: AlertProgress, nowMs: number, outcome: DeliveryOutcome = { kind: 'sent' }): { progress: AlertProgress; sent: AlertDelivery[] } => {
  const sent = dueDeliveries(progress, nowMs);
  return { sent, progress: written(sent.reduce((all, delivery) => settleDelivery(all, delivery, outcome, nowMs), progress)) };
};
/** Opened and told at T0. */
const toldAt = (policy: AlertsSpec): AlertProgress => sendAll(advance(receive(NO_PROGRESS, policy, { id: 'first' }), policy, T0), T0).progress;

describe('an incident', () => {
  it('opens with its first occurrence and tells its receivers once', () => {
    const policy = policyOf({ receivers: ['team', 'boss'], labels: { team: 'risk' } });
    const opened = advance(receive(NO_PROGRESS, policy, { id: 'first' }), policy, T0);
    expect(opened.incident).toMatchObject({ state: 'open', occurrences: 1, openedBy: 'first', labels: { team: 'risk' }, openedAt: '2026-03-01T00:00:00.000Z' });
    expect(opened.records).toMatchObject([{ alert: { state: 'open' }, pending: ['team', 'boss'], dropped: [] }]);
    const { sent, progress } = sendAll(opened, T0);
    expect(sent.map(({ receiver, alert }) => [receiver, alert.state])).toEqual([['team', 'open'], ['boss', 'open']]);
    expect(progress.deliveries).toEqual([]);
    expect(nextDueMs(progress, policy)).toBe(T0 + 3_600_000);
    expect(isOver(progress)).toBe(false);
  });

  it('waits with the first message and counts what comes meanwhile', () => {
    const policy = policyOf({ groupWaitSeconds: 60 });
    let progress = advance(receive(NO_PROGRESS, policy, { id: 'a' }), policy, T0);
    expect(progress.deliveries).toEqual([]);
    progress = receive(progress, policy, { id: 'b', nowMs: T0 + 30_000 });
    expect(nextDueMs(progress, policy)).toBe(T0 + MINUTE);
    progress = advance(progress, policy, T0 + MINUTE);
    expect(progress.deliveries).toMatchObject([{ receiver: 'team', alert: { occurrences: 2, reason: 'because b' } }]);
  });

  it('takes a repeated occurrence for what it is', () => {
    const policy = policyOf();
    const told = toldAt(policy);
    expect(receive(told, policy, { id: 'first' })).toBe(told);
  });

  it('that flaps a hundred times within its hold time sends one message', () => {
    const policy = policyOf({ resolveAfterSeconds: 300, escalateAfterSeconds: 86_400 });
    let progress = toldAt(policy);
    for (let flap = 0; flap < 100; flap += 1) {
      const nowMs = T0 + flap * MINUTE;
      progress = advance(receive(progress, policy, { id: `clear-${flap}`, firing: false, nowMs }), policy, nowMs);
      progress = advance(receive(progress, policy, { id: `again-${flap}`, nowMs: nowMs + 30_000 }), policy, nowMs + 30_000);
      expect(progress.deliveries).toEqual([]);
    }
    expect(progress.incident).toMatchObject({ state: 'open', occurrences: 101 });
    expect(progress.records.length).toBe(1);
    const over = advance(receive(progress, policy, { id: 'clear', firing: false, nowMs: T0 + 101 * MINUTE }), policy, T0 + 106 * MINUTE);
    expect(over.incident).toMatchObject({ state: 'resolved', resolvedBy: 'cleared' });
    expect(over.deliveries).toMatchObject([{ receiver: 'team', alert: { state: 'resolved' } }]);
    expect(isOver(sendAll(over, T0 + 106 * MINUTE).progress)).toBe(true);
  });

  it('is escalated when nobody takes care, and not when somebody does', () => {
    const policy = policyOf({ escalateAfterSeconds: 600, escalateTo: ['boss'] });
    const escalated = advance(toldAt(policy), policy, T0 + 600_000);
    expect(escalated.incident).toMatchObject({ state: 'escalated', escalatedAt: '2026-03-01T00:10:00.000Z' });
    expect(escalated.deliveries.map(({ receiver, alert }) => [receiver, alert.state])).toEqual([['boss', 'escalated']]);
    const taken = acknowledge(toldAt(policy), { by: 'ada', comment: 'on it' }, { policy, nowMs: T0 + MINUTE });
    expect(taken.incident).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'ada', comment: 'on it' });
    expect(advance(taken, policy, T0 + 86_400_000).incident?.state).toBe('acknowledged');
    expect(acknowledge(taken, { by: 'bob', comment: '' }, { policy, nowMs: T0 + 2 * MINUTE })).toBe(taken);
  });

  it('that was resolved makes room for another one', () => {
    const policy = policyOf();
    const resolved = resolve(toldAt(policy), { by: 'ada', comment: '' }, { policy, nowMs: T0 + MINUTE });
    const first = resolved.incident?.alertId;
    const again = receive(resolved, policy, { id: 'second', nowMs: T0 + 2 * MINUTE });
    expect(again.incident).toMatchObject({ state: 'open', openedBy: 'second', occurrences: 1 });
    expect(again.incident?.alertId).not.toBe(first);
    // The end of the first one is still to be told.
    expect(again.deliveries.map(({ alert }) => deliveryIdOf(alert))).toEqual([`${first}.resolved`]);
  });
});

describe('messages', () => {
  it('are tried again with growing delays up to a bound', () => {
    const policy = policyOf({ escalateAfterSeconds: 31_536_000 });
    let progress = advance(receive(NO_PROGRESS, policy, { id: 'x' }), policy, T0);
    const times: number[] = [];
    for (let nowMs = T0; progress.deliveries.length > 0; nowMs = nextDueMs(progress, policy) ?? nowMs) {
      times.push(nowMs);
      progress = sendAll(progress, nowMs, { kind: 'unavailable', reason: 'away' }).progress;
    }
    expect(times.map((time, index) => (time - (times[index - 1] ?? time)) / 1_000)).toEqual([0, 5, 15, 45, 135, 405, 1_215, 3_600, 3_600, 3_600, 3_600, 3_600]);
    expect((times.at(-1) ?? 0) - T0).toBeLessThan(6 * 3_600_000);
  });

  it('that a receiver refused are not tried again', () => {
    const policy = policyOf();
    const opened = advance(receive(NO_PROGRESS, policy, { id: 'x' }), policy, T0);
    expect(sendAll(opened, T0, { kind: 'refused', reason: '400' }).progress.deliveries).toEqual([]);
  });

  it('give way to those of a later state, also to whom they did not reach', () => {
    const policy = policyOf({ escalateAfterSeconds: 60, escalateTo: ['boss'] });
    const opened = advance(receive(NO_PROGRESS, policy, { id: 'x' }), policy, T0);
    const waiting = sendAll(opened, T0, { kind: 'unavailable', reason: 'away' }).progress;
    const escalated = advance(waiting, policy, T0 + MINUTE);
    expect(escalated.deliveries.map(({ receiver, alert }) => [receiver, alert.state])).toEqual([['boss', 'escalated'], ['team', 'escalated']]);
    expect(escalated.records).toMatchObject([{ pending: ['boss', 'team'], dropped: [{ state: 'open', receiver: 'team', reason: 'superseded: the incident is escalated' }] }]);
  });

  it('that a silence held back are sent at its end if the incident is still open, and never if it is over', () => {
    const policy = policyOf({ resolveAfterSeconds: 60 });
    const opened = advance(receive(NO_PROGRESS, policy, { id: 'x' }), policy, T0);
    const silenced = sendAll(opened, T0, { kind: 'silenced', untilMs: T0 + 10 * MINUTE }).progress;
    expect(dueDeliveries(silenced, T0 + 9 * MINUTE)).toEqual([]);
    expect(dueDeliveries(silenced, T0 + 10 * MINUTE).length).toBe(1);
    expect(dueDeliveries(wakeSilenced(silenced, T0 + MINUTE), T0 + MINUTE).length).toBe(1);
    const clear = receive(silenced, policy, { id: 'clear', firing: false, nowMs: T0 + MINUTE });
    const over = advance(clear, policy, T0 + 2 * MINUTE);
    expect(over.deliveries).toEqual([]);
    expect(over.records).toMatchObject([{ alert: { state: 'resolved' }, pending: [], dropped: [{ state: 'open', receiver: 'team' }] }]);
    expect(acknowledge(silenced, { by: 'ada', comment: '' }, { policy, nowMs: T0 + MINUTE }).deliveries).toEqual([]);
  });

  it('of an incident that its occurrence had opened before are taken back', () => {
    const policy = policyOf();
    const opened = written(advance(receive(NO_PROGRESS, policy, { id: 'x' }), policy, T0));
    expect(isOver(forget(opened, [opened.incident?.alertId ?? '']))).toBe(true);
    expect(forget(opened, ['another'])).toEqual(opened);
  });

  it('are one per incident, state and receiver whatever happens, and never too many', () => {
    const policy = policyOf({ receivers: ['a', 'b'], escalateTo: ['c'], escalateAfterSeconds: 120, resolveAfterSeconds: 60, groupWaitSeconds: 10 });
    const step = fc.constantFrom<(progress: AlertProgress, nowMs: number, index: number) => AlertProgress>(
      (progress, nowMs, index) => receive(progress, policy, { id: `f-${index}`, nowMs }),
      (progress, nowMs, index) => receive(progress, policy, { id: `c-${index}`, firing: false, nowMs }),
      (progress, nowMs) => acknowledge(progress, { by: 'ada', comment: '' }, { policy, nowMs }),
      (progress, nowMs) => resolve(progress, { by: 'ada', comment: '' }, { policy, nowMs }),
      (progress, nowMs) => sendAll(progress, nowMs, { kind: 'unavailable', reason: 'away' }).progress,
      (progress, nowMs) => sendAll(progress, nowMs, { kind: 'silenced', untilMs: nowMs + 45_000 }).progress,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.integer({ min: 0, max: 90_000 })), { maxLength: 80 }), (steps) => {
        const sent = new Set<string>();
        let [progress, nowMs] = [NO_PROGRESS, T0];
        for (const [index, [act, passed]] of steps.entries()) {
          nowMs += passed;
          progress = advance(act(progress, nowMs, index), policy, nowMs);
          if (index % 3 === 0) {
            const attempt = sendAll(progress, nowMs);
            for (const { alert, receiver } of attempt.sent) {
              const name = `${deliveryIdOf(alert)} ${receiver}`;
              expect(sent.has(name)).toBe(false);
              sent.add(name);
            }
            progress = attempt.progress;
          }
          expect(progress.deliveries.length).toBeLessThanOrEqual(24);
          expect(JSON.stringify(progress).length).toBeLessThan(60_000);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});
