/**
 * Every activity of a run fails, is not answered in time, loses its answer, or is under way when the run is cancelled. Whatever happens, traffic
 * ends whole: on the new version when it was promoted, on the old one in every other case.
 */
import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PerennialActivities } from '../../contracts/activities.ts';
import { MonitorSpec } from '../../contracts/monitor.ts';
import { stableAt } from './support/deployments.ts';
import { startEnvironment, type Environment } from './support/environment.ts';
import { modelPipeline, runInput, workflowIdOf } from './support/specs.ts';
import type { Overrides, Scenario } from './support/world.ts';

type Name = keyof PerennialActivities;

const STEPS = ['ingest', 'check', 'features', 'train', 'evaluate', 'register'] as const;
const BEFORE_PROMOTION = [...STEPS, 'recordStep', 'prepareRollout', 'shiftTraffic', 'awaitGateways', 'readServingWindow', 'recordRolloutDecision'] as const;
const AFTER_PROMOTION = ['monitorSpecOf', 'startMonitor', 'finishRollout', 'finishRun'] as const;
const ALL = [...BEFORE_PROMOTION, 'promote', ...AFTER_PROMOTION] as const;

/** Activities that a cancel reaches; the others are past the point of no return, or the record of the end itself. */
const CANCELLABLE = new Set<Name>(BEFORE_PROMOTION);

/** Waits until this activity is asked to stop, which it learns by a heartbeat. */
const untilToldToStop = async (): Promise<void> => {
  const timer = setInterval(() => heartbeat(), 20);
  await sleep(60_000).catch(() => undefined);
  clearInterval(timer);
};

type Ending = { scenario: Scenario; status: string; result: unknown; code: string | undefined };

let environment: Environment;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(async () => {
  expect(await environment.replayAll()).toEqual([]);
  await environment.stop();
});

const codeOf = (error: unknown): string | undefined => {
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? (cause.type ?? undefined) : cause?.name;
};

type FaultOf = (name: Name, cancel: () => Promise<unknown>) => Overrides;

/** Runs a pipeline with a fault in one activity and says how it ended. */
const runWith = async (pipeline: string, faults: (cancel: () => Promise<unknown>) => Overrides): Promise<Ending> => {
  const input = runInput(modelPipeline(pipeline, { train: { trainer: 'lightgbm', timeoutSeconds: 600 } }));
  const cancel = (): Promise<unknown> => environment.client.workflow.getHandle(workflowIdOf(input)).cancel();
  const monitored: Overrides = { monitorSpecOf: async () => ({ pipeline, spec: MonitorSpec.parse({}) }) };
  const scenario = environment.world.scenario(pipeline, { overrides: { ...monitored, ...faults(cancel) } });
  const handle = await environment.startRun(input);
  const [result, code] = await handle.result().then(
    (value) => [value, undefined] as const,
    (error: unknown) => [undefined, codeOf(error)] as const,
  );
  return { scenario, status: (await handle.describe()).status.name, result, code };
};

/** One run per activity, one after the other: time is global to the server, and its skips would expire the tasks of other runs. */
const runAll = async (mode: string, names: readonly Name[], faultOf: FaultOf): Promise<Map<Name, Ending>> => {
  const endings = new Map<Name, Ending>();
  for (const name of names) endings.set(name, await runWith(`${mode}-${name}`, (cancel) => faultOf(name, cancel)));
  return endings;
};

const endingOf = (endings: Map<Name, Ending>, name: Name): Ending => endings.get(name) as Ending;

const expectWhole = ({ scenario: { deployment } }: Ending, version: 1 | 2): void => {
  expect(deployment.split).toEqual(stableAt(version));
  expect(deployment.champion).toBe(version);
  expect(deployment.promotions.length).toBe(version === 2 ? 1 : 0);
};

const override = (name: Name, replacement: (input: unknown, proceed: () => Promise<unknown>, attempt: number) => Promise<unknown>): Overrides =>
  ({ [name]: replacement }) as Overrides;

describe('an activity fails for good', () => {
  let endings: Map<Name, Ending>;
  const message = 'broken on purpose';
  beforeAll(async () => {
    endings = await runAll('fails', ALL, (name) =>
      override(name, async () => {
        throw ApplicationFailure.nonRetryable(message, 'ModelRefused');
      }),
    );
  });

  it.each(STEPS)('%s: the run fails with the code, and nothing was served', (name) => {
    const ending = endingOf(endings, name);
    expect(ending).toMatchObject({ status: 'FAILED', code: 'ModelRefused' });
    expect(ending.scenario.ends.get(`fails-${name}.first`)).toMatchObject({ state: 'failed', failure: { code: 'ModelRefused', message } });
    expectWhole(ending, 1);
  });

  it.each(BEFORE_PROMOTION)('%s: traffic is on the old version', (name) => expectWhole(endingOf(endings, name), 1));

  it.each(['shiftTraffic', 'awaitGateways', 'readServingWindow', 'recordRolloutDecision', 'promote'] as const)('%s: the rollout rolls back and says why', (name) => {
    const ending = endingOf(endings, name);
    expect(ending.result).toMatchObject({ kind: 'rolledBack', reason: `ModelRefused: ${message}`, rollout: { kind: 'rolledBack' } });
    expectWhole(ending, 1);
  });

  it.each(AFTER_PROMOTION)('%s: the promotion stands', (name) => expectWhole(endingOf(endings, name), 2));
  it.each(['monitorSpecOf', 'startMonitor'] as const)('%s: the run succeeds nevertheless', (name) => expect(endingOf(endings, name).status).toBe('COMPLETED'));
});

describe('an outage of an activity outlasts its bound', () => {
  let endings: Map<Name, Ending>;
  beforeAll(async () => {
    endings = await runAll('outage', BEFORE_PROMOTION, (name) =>
      override(name, async () => {
        throw new Error('an outage');
      }),
    );
  });

  it.each(BEFORE_PROMOTION)('%s: traffic is on the old version', (name) => {
    const ending = endingOf(endings, name);
    expectWhole(ending, 1);
  });

  it.each([...STEPS, 'recordStep', 'prepareRollout'] as const)('%s: the run fails, and its row says so', (name) => {
    const ending = endingOf(endings, name);
    expect(ending).toMatchObject({ status: 'FAILED', code: 'Internal' });
    expect(ending.scenario.ends.get(`outage-${name}.first`)).toMatchObject({ state: 'failed', failure: { message: 'an outage' } });
  });
});

describe('an activity loses its answer after it took effect', () => {
  let endings: Map<Name, Ending>;
  beforeAll(async () => {
    endings = await runAll('lost', ALL, (name) =>
      override(name, async (_input, proceed, attempt) => {
        const answer = await proceed();
        if (attempt === 1) throw new Error('the connection was lost');
        return answer;
      }),
    );
  });

  it.each(ALL)('%s: the version is promoted once', (name) => {
    const ending = endingOf(endings, name);
    expect(ending.status).toBe('COMPLETED');
    expectWhole(ending, 2);
    expect(ending.scenario.deployment.generation).toBe(4);
  });
});

describe('the run is cancelled while an activity works', () => {
  let endings: Map<Name, Ending>;
  beforeAll(async () => {
    endings = await runAll('cancel', ALL, (name, cancel) => {
      let isCancelled = false;
      return override(name, async (_input, proceed) => {
        if (isCancelled) return proceed();
        isCancelled = true;
        await cancel();
        // Its effect comes after the cancel: the undo must win all the same.
        if (CANCELLABLE.has(name)) await untilToldToStop();
        return proceed();
      });
    });
  });

  it.each(BEFORE_PROMOTION)('%s: the run ends as cancelled, with traffic on the old version', (name) => {
    const ending = endingOf(endings, name);
    expect(ending).toMatchObject({ status: 'CANCELLED', code: 'CancelledFailure' });
    expect(ending.scenario.ends.get(`cancel-${name}.first`)).toMatchObject({ state: 'cancelled' });
    expectWhole(ending, 1);
  });

  it.each(['promote', ...AFTER_PROMOTION] as const)('%s: it came too late, the promotion stands and the run succeeded', (name) => {
    const ending = endingOf(endings, name);
    expect(ending).toMatchObject({ status: 'COMPLETED', result: { kind: 'succeeded', version: 2 } });
    expect(ending.scenario.ends.get(`cancel-${name}.first`)).toMatchObject({ state: 'succeeded' });
    expectWhole(ending, 2);
  });
});

describe('the undo itself', () => {
  it('is retried until done, however long the outage is', async () => {
    const ending = await runWith('undo', () => ({
      readServingWindow: async () => ({ requests: 100, failures: 50, fallbacks: 50, latencyP50Ms: 3, latencyP95Ms: 9 }),
      restoreTraffic: async (_input, proceed, attempt) => {
        if (attempt <= 200) throw new Error('the database is gone');
        return proceed();
      },
    }));
    expect(ending.result).toMatchObject({ kind: 'rolledBack', rollout: { kind: 'rolledBack' } });
    expect((ending.result as { reason: string }).reason).toContain('50 of 100 canary requests failed');
    expectWhole(ending, 1);
  });

  it('runs when the run is cancelled while the undo of a breach is under way', async () => {
    const ending = await runWith('undo-cancel', (cancel) => ({
      readServingWindow: async () => ({ requests: 100, failures: 50, fallbacks: 50, latencyP50Ms: 3, latencyP95Ms: 9 }),
      restoreTraffic: async (_input, proceed) => {
        await cancel();
        return proceed();
      },
    }));
    expect(ending.status).toBe('COMPLETED');
    expectWhole(ending, 1);
  });
});
