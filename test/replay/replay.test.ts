/** Present code must replay what earlier code recorded: otherwise a deployment breaks the executions that are open. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureWorkflowBundle } from '../../workers/bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { replayHistories, type Recorded } from '../workflows/support/histories.ts';
import { installQuietRuntime } from '../workflows/support/quiet-runtime.ts';
import { cases } from './cases.ts';
import { bundleChangedTwin, changedWorkflows } from './changed-twin.ts';
import { readCorpus } from './corpus.ts';

const corpus = readCorpus();
const types = Object.keys(workflows);
const recorded = corpus.map(({ name, history }): Recorded => ({ workflowId: name, history }));

beforeAll(installQuietRuntime);

describe('the corpus', () => {
  it('is not empty, and has a history of every workflow type', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(types.length);
    expect(types.filter((type) => !corpus.some(({ workflowType }) => workflowType === type))).toEqual([]);
  });

  it('has exactly the histories that `npm run histories:capture` records', () => {
    expect(corpus.map(({ name }) => name)).toEqual(Object.keys(cases).sort());
  });

  it('holds neither the name of a host nor a path of a machine', () => {
    const text = JSON.stringify(corpus.map(({ history }) => history));
    expect(text).not.toMatch(/\d+@/);
    expect(text).not.toMatch(/node_modules|file:\/\//);
  });

  it('is replayed by the present workflows', async () => {
    expect(await replayHistories(await ensureWorkflowBundle(), recorded)).toEqual([]);
  });
});

describe('a changed twin', () => {
  it('with two activities swapped fails the replay of each workflow', async () => {
    expect([...changedWorkflows].sort()).toEqual([...types].sort());
    const problems = await replayHistories(await bundleChangedTwin(), recorded);
    const swapped = problems.filter((problem) => problem.includes('does not match activity type of activity command'));
    for (const type of types) expect(swapped.filter((problem) => problem.startsWith(type)).length, type).toBeGreaterThan(0);
  });
});
