import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '../../../contracts/define-pipeline.ts';
import type { LedgerPipeline, Trigger, TriggerKind } from '../../../contracts/trigger.ts';
import { batchSizeOf, decideQueued, decideTrigger, rememberId, runPartOf, type LedgerState } from '../../../domain/triggers.ts';

const pipeline = (triggers: object, spent?: LedgerPipeline['spent']): LedgerPipeline => ({
  version: 1,
  ...(spent === undefined ? {} : { spent }),
  spec: definePipeline({
    name: 'flights',
    source: { tables: { flights: { files: 'x.parquet' } } },
    features: { sql: 'select 1', identity: ['id'], eventTime: 'at', label: 'late', columns: [{ name: 'x', type: 'numeric' }] },
    split: { holdout: { last: 'P1M' } },
    train: { trainer: 'lightgbm' },
    triggers,
  }),
});
const eager = pipeline({ drift: true, quality: true, data: true, cooldownSeconds: 3_600 });
const steps: LedgerPipeline = { version: 1, spec: definePipeline({ kind: 'steps', name: 'chain', steps: [{ name: 'one', kind: 'noop' }] }) };

const trigger = (kind: TriggerKind, id = 'new'): Trigger => ({ id, kind, reason: '', at: '2026-01-01T00:00:00Z', source: 'test' });
const idle: LedgerState = { recentIds: [], inFlight: null, next: [], lastAutomaticRunAtMs: null };
const busy: LedgerState = { ...idle, inFlight: { runId: 'flights.1', triggerId: 'running' } };
const NOW = Date.parse('2026-01-01T12:00:00Z');

describe('decideTrigger', () => {
  it.each(['manual', 'schedule', 'data', 'drift', 'quality'] as const)('%s runs when the pipeline is idle', (kind) => {
    expect(decideTrigger(idle, trigger(kind), eager, NOW)).toEqual({ kind: 'run' });
  });

  it.each(['drift', 'quality'] as const)('%s coalesces into the run in flight', (kind) => {
    expect(decideTrigger(busy, trigger(kind), eager, NOW)).toEqual({ kind: 'final', outcome: { outcome: 'coalesced', into: 'flights.1' } });
  });

  it.each(['manual', 'schedule', 'data'] as const)('%s waits to be the next run, and takes in those after it', (kind) => {
    expect(decideTrigger(busy, trigger(kind), eager, NOW)).toEqual({ kind: 'queue' });
    const queued = { ...busy, next: [trigger('data', 'first')] };
    expect(decideTrigger(queued, trigger(kind), eager, NOW)).toEqual({ kind: 'final', outcome: { outcome: 'coalesced', into: 'first' } });
  });

  it('rejects drift and quality within the cool-down, and nothing else', () => {
    const cooling = { ...idle, lastAutomaticRunAtMs: NOW - 1_000_000 };
    const rejected = { kind: 'final', outcome: { outcome: 'rejected', reason: 'cool-down until 2026-01-01T12:43:20.000Z' } };
    expect(decideTrigger(cooling, trigger('drift'), eager, NOW)).toEqual(rejected);
    expect(decideTrigger(cooling, trigger('data'), eager, NOW)).toEqual({ kind: 'run' });
    expect(decideTrigger({ ...idle, lastAutomaticRunAtMs: NOW - 3_600_000 }, trigger('quality'), eager, NOW)).toEqual({ kind: 'run' });
  });

  it.each([
    ['drift', 'the pipeline does not retrain on drift'],
    ['data', 'the pipeline does not retrain on data'],
  ] as const)('rejects %s when it is switched off, also while a run is in flight', (kind, reason) => {
    const final = { kind: 'final', outcome: { outcome: 'rejected', reason } };
    expect(decideTrigger(idle, trigger(kind), pipeline({}), NOW)).toEqual(final);
    expect(decideTrigger(busy, trigger(kind), pipeline({}), NOW)).toEqual(final);
    expect(decideTrigger(idle, trigger(kind), steps, NOW)).toEqual(final);
  });

  it('runs a steps pipeline by hand or by schedule', () => {
    expect(decideTrigger(idle, trigger('schedule'), steps, NOW)).toEqual({ kind: 'run' });
  });

  it('rejects the event of a pipeline that is not there', () => {
    expect(decideTrigger(idle, trigger('manual'), null, NOW)).toEqual({ kind: 'final', outcome: { outcome: 'rejected', reason: 'there is no such pipeline' } });
  });

  it.each([
    ['decided', { ...idle, recentIds: ['new'] }],
    ['in flight', { ...idle, inFlight: { runId: 'flights.1', triggerId: 'new' } }],
    ['queued', { ...busy, next: [trigger('data')] }],
  ])('knows an id that is %s', (_name, state) => expect(decideTrigger(state, trigger('manual'), eager, NOW)).toEqual({ kind: 'duplicate' }));
});

describe('drift whose quality is known', () => {
  const drift = (quality: Trigger['quality']) => ({ ...trigger('drift'), quality });
  const refused = (reason: string) => ({ kind: 'final', outcome: { outcome: 'rejected', reason } });

  it('does not retrain while the quality holds, unless told so', () => {
    expect(decideTrigger(idle, drift('holds'), eager, NOW)).toEqual(refused('drift, but the quality holds'));
    expect(decideTrigger(busy, drift('holds'), eager, NOW)).toEqual(refused('drift, but the quality holds'));
    expect(decideTrigger(idle, drift('dropped'), eager, NOW)).toEqual({ kind: 'run' });
    expect(decideTrigger(idle, drift('holds'), pipeline({ drift: true, driftWhenQualityHolds: true }), NOW)).toEqual({ kind: 'run' });
    expect(decideTrigger(idle, { ...trigger('quality'), quality: 'holds' }, eager, NOW)).toEqual({ kind: 'run' });
  });

  it('retrains while the quality is not known, unless told to wait for the labels', () => {
    const patient = pipeline({ drift: true, driftWhenQualityUnknown: false });
    for (const quality of ['unknown', undefined] as const) {
      expect(decideTrigger(idle, drift(quality), eager, NOW)).toEqual({ kind: 'run' });
      expect(decideTrigger(idle, drift(quality), patient, NOW)).toEqual(refused('drift, and the quality is not known yet'));
    }
  });
});

describe('a budget', () => {
  const limited = (spent?: LedgerPipeline['spent']) => pipeline({ drift: true, data: true, budget: { periodSeconds: 86_400, runs: 3, trainMinutes: 120 } }, spent);
  const reasonOf = (decision: unknown) => (decision as { outcome?: { reason: string } }).outcome?.reason;

  it.each(['drift', 'quality', 'data', 'schedule'] as const)('has room for %s, or says what is used up', (kind) => {
    expect(decideTrigger(idle, trigger(kind), limited({ runs: 2, trainSeconds: 3_600 }), NOW)).toEqual({ kind: 'run' });
    expect(reasonOf(decideTrigger(idle, trigger(kind), limited({ runs: 3, trainSeconds: 0 }), NOW))).toBe('the budget of 3 runs in 86400 s is used up');
    expect(reasonOf(decideTrigger(idle, trigger(kind), limited({ runs: 0, trainSeconds: 3_601 }), NOW))).toMatch(/^the budget of 120 min of training in 86400 s has no room: 60 min are used, and a run may take 60 min$/);
  });

  it('does not refuse a person, and fails closed without figures', () => {
    expect(decideTrigger(idle, trigger('manual'), limited({ runs: 9, trainSeconds: 1e6 }), NOW)).toEqual({ kind: 'run' });
    expect(reasonOf(decideTrigger(idle, trigger('schedule'), limited(), NOW))).toBe('the budget is not known to have room');
  });

  it('is asked again when the turn of a queued trigger comes', () => {
    expect(decideTrigger(busy, trigger('data'), limited({ runs: 9, trainSeconds: 0 }), NOW)).toEqual({ kind: 'queue' });
    expect(reasonOf(decideQueued(trigger('data'), limited({ runs: 3, trainSeconds: 0 })))).toMatch(/used up/);
    expect(decideQueued(trigger('data'), limited({ runs: 2, trainSeconds: 0 }))).toEqual({ kind: 'run' });
    expect(reasonOf(decideQueued(trigger('data'), null))).toBe('there is no such pipeline');
  });
});

describe('a ledger over random events', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constantFrom<TriggerKind>('manual', 'schedule', 'data', 'drift', 'quality'), id: fc.nat(30).map(String), afterMs: fc.nat(2_000_000) }),
    fc.constant('runEnded' as const),
  );

  it('has one run in flight at most, and exactly one outcome per id in the end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const state: LedgerState = { ...idle, next: [] };
        const outcomes = new Map<string, string>();
        let nowMs = NOW;
        const settle = (id: string, outcome: string): void => {
          expect(outcomes.has(id)).toBe(false);
          outcomes.set(id, outcome);
        };
        const start = ({ id, kind }: Trigger): void => {
          expect(state.inFlight).toBeNull();
          state.inFlight = { runId: runPartOf(id), triggerId: id };
          if (kind === 'drift' || kind === 'quality') state.lastAutomaticRunAtMs = nowMs;
          settle(id, 'ran');
        };
        const endRun = (): void => {
          state.inFlight = null;
          const queued = state.next.shift();
          if (queued !== undefined) start(queued);
        };
        const seen = new Set<string>();
        for (const next of events) {
          if (next === 'runEnded') {
            endRun();
            continue;
          }
          nowMs += next.afterMs;
          seen.add(next.id);
          const decision = decideTrigger(state, trigger(next.kind, next.id), eager, nowMs);
          if (decision.kind !== 'duplicate') state.recentIds = rememberId(state.recentIds, next.id);
          if (decision.kind === 'run') start(trigger(next.kind, next.id));
          if (decision.kind === 'queue') state.next.push(trigger(next.kind, next.id));
          if (decision.kind === 'final') settle(next.id, decision.outcome.outcome);
          expect(state.next.length).toBeLessThanOrEqual(1);
        }
        endRun();
        expect([...outcomes.keys()].sort()).toEqual([...seen].sort());
      }),
    );
  });
});

describe('what the ledger keeps', () => {
  it('a thousand ids, and no more characters than an input may hold', () => {
    const short = Array.from({ length: 1_000 }, (_, index) => `id-${index}`).reduce(rememberId, [] as string[]);
    expect(rememberId(short, 'new').length).toBe(1_000);
    const long = Array.from({ length: 200 }, (_, index) => `${index}-${'x'.repeat(500)}`).reduce(rememberId, [] as string[]);
    expect(long.join('').length).toBeLessThanOrEqual(40_000);
    expect(long.at(-1)).toMatch(/^199-/);
    expect(rememberId([], 'x'.repeat(50_000)).length).toBe(1);
  });

  it('decides in batches of a hundred, fewer when they are large', () => {
    const many = (reason: string) => Array.from({ length: 250 }, (_, index) => ({ ...trigger('data', String(index)), reason }));
    expect(batchSizeOf(many(''))).toBe(100);
    expect(batchSizeOf(many('x'.repeat(4_000)))).toBe(9);
    expect(batchSizeOf(many('x'.repeat(50_000)))).toBe(1);
    expect(batchSizeOf([])).toBe(0);
  });
});

describe('runPartOf', () => {
  it('is 32 hexadecimal digits that depend on the id alone', () => {
    expect(runPartOf('a')).toBe(runPartOf('a'));
    fc.assert(fc.property(fc.string(), (id) => /^[0-9a-f]{32}$/.test(runPartOf(id))));
  });

  it('tells ids apart', () => {
    const parts = Array.from({ length: 20_000 }, (_, index) => runPartOf(`monitor/flights/${index % 7}/${index}/drift`));
    expect(new Set(parts).size).toBe(20_000);
  });
});
