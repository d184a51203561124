/** What a user is told about a wrong pipeline: where, what, and how to mend it. */
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../api/pipelines/parse-text.ts';
import { validatePipeline } from '../../../api/pipelines/validate.ts';
import { warningsOf } from '../../../api/pipelines/contradictions.ts';
import { RequestRefused } from '../../../api/http/problem.ts';
import { modelPipeline, stepsPipeline } from '../../support/api.ts';

const errorsOf = (value: unknown, name = 'late'): RequestRefused['errors'] => {
  try {
    validatePipeline({ value, lineOf: () => undefined }, name);
  } catch (error) {
    if (error instanceof RequestRefused) return error.errors;
    throw error;
  }
  return [];
};

const changed = (changes: Record<string, unknown>) => modelPipeline('late', changes);
const x = { type: 'number', min: 0, max: 1 };
const search = (given: object) => changed({ search: { space: { x }, ...given } });
const gate = (given: unknown) => changed({ gates: [given] });

const regression = { ...modelPipeline('x').features, task: 'regression' };

describe('a gate that would say no to every run', () => {
  it.each([
    ['a column that is not there', gate({ kind: 'slice', column: 'prise', metric: 'rocAuc', min: 0.5 }), 'gates[0].column', /"prise" is no column of the features/],
    ['a cluster that is not there', gate({ kind: 'champion', metric: 'rocAuc', cluster: 'day' }), 'gates[0].cluster', /"day" is no column/],
    ['a slice without a bound', gate({ kind: 'slice', column: 'price', metric: 'rocAuc' }), 'gates[0]', /needs min or max/],
    ['a difference with the wrong bound', gate({ kind: 'fairness', column: 'price', measure: 'demographicParityDifference', min: 0.1 }), 'gates[0].max', /it needs max/],
    ['a ratio with the wrong bound', gate({ kind: 'fairness', column: 'price', measure: 'disparateImpact', max: 0.8 }), 'gates[0].min', /it needs min/],
    ['a bound on the better side', gate({ kind: 'fairness', column: 'price', measure: 'disparateImpact', min: 0.8, max: 1 }), 'gates[0].max', /the better side/],
    ['McNemar of scores', gate({ kind: 'champion', metric: 'rocAuc', test: 'mcnemar' }), 'gates[0].metric', /right and wrong decisions/],
    ['McNemar in clusters', gate({ kind: 'champion', metric: 'accuracy', test: 'mcnemar', cluster: 'id' }), 'gates[0].cluster', /knows no clusters/],
    ['fairness of a regression', changed({ features: regression, gates: [{ kind: 'fairness', column: 'price', measure: 'disparateImpact', min: 0.8 }] }), 'gates[0].kind', /needs classes/],
    ['calibration of a regression', changed({ features: regression, gates: [{ kind: 'calibration', max: 0.1 }] }), 'gates[0].kind', /needs classes/],
  ])('%s', (_what, pipeline, path, message) => {
    expect(errorsOf(pipeline)).toEqual([expect.objectContaining({ path, message: expect.stringMatching(message) as string })]);
  });

  it('is none otherwise', () => {
    const gates = [{ kind: 'slice', column: 'price', metric: 'rocAuc', min: 0.5 }, { kind: 'champion', metric: 'rocAuc', cluster: 'id' }, { kind: 'fairness', column: 'price', measure: 'disparateImpact', min: 0.8 }, { kind: 'calibration', max: 0.1 }, { kind: 'latency', maxP95Ms: 3 }, { kind: 'size', maxBytes: 5 }, { kind: 'signature' }];
    expect(errorsOf(changed({ gates }))).toEqual([]);
  });
});

describe('a search that contradicts itself', () => {
  it.each([
    ['nothing to search', search({ space: {} }), 'search.space', /names no parameter/],
    ['bounds the wrong way round', search({ space: { x: { ...x, min: 2 } } }), 'search.space.x.max', /1 is not above min \(2\)/],
    ['a logarithm of 0', search({ space: { x: { ...x, log: true } } }), 'search.space.x.min', /no place on a logarithmic scale/],
    ['steps on a logarithmic scale', search({ space: { x: { type: 'integer', min: 1, max: 9, step: 2, log: true } } }), 'search.space.x.step', /no even steps/],
    ['a value twice', search({ space: { x: { type: 'categorical', values: ['a', 'a'] } } }), 'search.space.x.values', /a value twice/],
    ['a grid of a number', search({ sampler: 'grid' }), 'search.space.x.points', /how many values/],
    ['a metric of another task', search({ metric: 'rmse' }), 'search.metric', /rmse is no metric of binaryClassification/],
    ['more trials than are kept in mind', search({ trials: 1_000, pruner: 'median' }), 'search.trials', /1000 trials of 1 parameters with the pruner median/],
    ['a budget of nothing', search({ budget: {} }), 'search.budget', /limits nothing/],
    ['money without a price', search({ budget: { money: 5 } }), 'search.budget.pricePerMinute', /without a price/],
    ['a budget below one trial', search({ budget: { minutes: 30 } }), 'search.budget', /30.0 min have no room for one trial, which reserves 60.0 min/],
  ])('%s', (_what, pipeline, path, message) => {
    expect(errorsOf(pipeline)).toEqual([expect.objectContaining({ path, message: expect.stringMatching(message) as string })]);
  });

  it('is right otherwise', () => expect(errorsOf(search({ budget: { minutes: 30, trialMinutes: 5 }, trials: 100, pruner: 'asha' }))).toEqual([]));
});

describe('a pipeline that is not valid', () => {
  it.each([
    ['an unknown key', changed({ trian: {} }), 'trian', /no key "trian"/, /Did you mean "train"/],
    ['an unknown key further in', changed({ train: { trainer: 'lightgbm', sede: 1 } }), 'train.sede', /no key/, /Did you mean "seed"\? Valid keys here: trainer, params, seed/],
    ['a key in the wrong style', changed({ monitor: { every_seconds: 5 } }), 'monitor.every_seconds', /no key/, /Did you mean "everySeconds"/],
    ['a key of a union branch', gate({ kind: 'threshold', metric: 'rocAuc', minn: 1, min: 0.5 }), 'gates[0].minn', /no key/, /Did you mean "min"\? Valid keys here: kind, metric, min, max/],
    ['a key in a list', changed({ features: { ...modelPipeline('x').features, columns: [{ name: 'a', type: 'numeric', mising: 'allowed' }] } }), 'features.columns[0].mising', /no key/, /Did you mean "missing"/],
    ['a wrong type', changed({ train: { trainer: 'lightgbm', threads: '2' } }), 'train.threads', /expected a number, got the text "2"/, /Give a number/],
    ['a fraction for a whole number', changed({ train: { trainer: 'lightgbm', threads: 1.5 } }), 'train.threads', /expected a whole number, got the number 1.5/, /whole number/],
    ['a missing key', { kind: 'model', name: 'late', ...{ source: { tables: { a: { files: 'x' } } } }, features: modelPipeline('x').features, split: { holdout: { last: 'P1M' } } }, 'train', /is required: an object/, /Add it/],
    ['a wrong word', gate({ kind: 'threshold', metric: 'rocAcu', min: 0.5 }), 'gates[0].metric', /"rocAcu" is not one of "rocAuc"/, /Did you mean "rocAuc"/],
    ['a wrong kind', gate({ kind: 'treshold', metric: 'rocAuc' }), 'gates[0].kind', /is not one of "threshold", "champion"/, /Did you mean "threshold"/],
    ['a missing kind', gate({ metric: 'rocAuc' }), 'gates[0].kind', /is required: one of/, /Add kind/],
    ['a wrong pipeline kind', { ...modelPipeline('late'), kind: 'modell' }, 'kind', /is not one of "model", "steps"/, /Did you mean "model"/],
    ['a wrong trainer', changed({ train: { trainer: 'lightgb' } }), 'train.trainer', /expected "lightgbm" or "sklearn" or an object, got the text "lightgb"/, /Did you mean "lightgbm"/],
    ['a wrong trainer object', changed({ train: { trainer: { comand: ['x'] } } }), 'train.trainer.command', /is required: a list/, /Add it/],
    ['a value too large', changed({ rollout: { steps: [{ weight: 120 }] } }), 'rollout.steps[0].weight', /must be at most 100, got the number 120/, /at most 100/],
    ['a list too short', changed({ features: { ...modelPipeline('x').features, identity: [] } }), 'features.identity', /at least 1 entries/, /at least 1/],
    ['a wrong format', changed({ split: { holdout: { last: '1M' } } }), 'split.holdout.last', /expected a period such as P1M or P14D, got the text "1M"/, /P1M/],
    ['a wrong table name', changed({ source: { tables: { 'my table': { files: 'x' } } } }), 'source.tables.my table', /no valid key/, /Rename/],
    ['a list in params', changed({ train: { trainer: 'lightgbm', params: { a: [1] } } }), 'train.params.a', /expected a text or a number or true or false, got a list of 1/, /Give/],
    ['another name', modelPipeline('early'), 'name', /is "early", but the path says "late"/, /same name/],
    ['a list for a pipeline', [1], '', /expected an object, got a list of 1/, /Give an object/],
    ['nothing', null, '', /expected an object, got null/, /Give an object/],
  ])('%s', (...[, value, path, message, fix]) => {
    const error = errorsOf(value).find((candidate) => candidate.path === path);
    expect(error, JSON.stringify(errorsOf(value))).toBeDefined();
    expect(error?.message).toMatch(message);
    expect(error?.fix).toMatch(fix);
  });

  it('is told everything at once', () => {
    const errors = errorsOf(changed({ trian: 1, train: { trainer: 'lightgbm', threads: 'x', sede: 1 }, gates: [{ kind: 'rows', min: 0 }] }));
    expect(errors.map((error) => error.path).sort()).toEqual(['gates[0].min', 'train.sede', 'train.threads', 'trian']);
  });
});

describe('a pipeline that contradicts itself', () => {
  const features = modelPipeline('x').features;
  const withColumns = (...names: string[]) => changed({ features: { ...features, columns: names.map((name) => ({ name, type: 'numeric' })) } });
  it.each([
    ['weights that fall', changed({ rollout: { steps: [{ weight: 50 }, { weight: 25 }, { weight: 100 }] } }), 'rollout.steps[1].weight', /25 is not above 50/],
    ['a last step below 100', changed({ rollout: { steps: [{ weight: 50 }] } }), 'rollout.steps[0].weight', /never get all traffic/],
    ['a comparison that no step can make', changed({ rollout: { strategy: 'blueGreen', analysis: { comparison: {} } } }), 'rollout.analysis.comparison', /nothing would be compared/],
    ['a shadow in a pipeline that deploys nothing', changed({ rollout: { strategy: 'shadow' } }), 'rollout.then', /no run would ever deploy/],
    ['a preview longer than its bound', changed({ rollout: { strategy: 'blueGreen', preview: { seconds: 10, maximumSeconds: 5 } } }), 'rollout.preview.maximumSeconds', /less than seconds/],
    ['a step longer than its bound', changed({ rollout: { steps: [{ weight: 100, seconds: 10, maximumSeconds: 5 }] } }), 'rollout.steps[0].maximumSeconds', /less than seconds/],
    ['a check of no table', changed({ checks: [{ kind: 'notNull', table: 'order', column: 'id' }] }), 'checks[0].table', /no table "order"/],
    ['a range without bounds', changed({ checks: [{ kind: 'range', table: 'orders', column: 'id' }] }), 'checks[0]', /needs min or max/],
    ['a range turned round', changed({ checks: [{ kind: 'range', table: 'orders', column: 'id', min: 2, max: 1 }] }), 'checks[0]', /min 2 is above max 1/],
    ['a row count without bounds', changed({ checks: [{ kind: 'rowCount', table: 'orders' }] }), 'checks[0]', /needs min or max/],
    ['a threshold without bounds', gate({ kind: 'threshold', metric: 'rocAuc' }), 'gates[0]', /needs min or max/],
    ['a column twice', withColumns('price', 'price'), 'features.columns[1].name', /declared twice/],
    ['the label as a feature', withColumns('late'), 'features.columns[0].name', /would see the answer/],
    ['the time as a feature', withColumns('at'), 'features.columns[0].name', /is the eventTime/],
    ['the identity as a feature', withColumns('id'), 'features.columns[0].name', /is the identity/],
    ['the label as time', changed({ features: { ...features, label: 'at' } }), 'features.label', /event time/],
    ['no table at all', changed({ source: { tables: {} } }), 'source.tables', /names no table/],
    ['a slice by no column', changed({ monitor: { quality: { slices: ['pric'] } } }), 'monitor.quality.slices[0]', /no column of features/],
    ['an estimate of what has none', changed({ monitor: { quality: { metric: 'logLoss', estimate: true } } }), 'monitor.quality.estimate', /cannot be estimated/],
    ['a gate on a metric of another task', gate({ kind: 'threshold', metric: 'rmse', max: 10 }), 'gates[0].metric', /no metric of binaryClassification/],
    ['a regression gated as classes are', changed({ features: { ...features, task: 'regression' }, gates: [{ kind: 'champion', metric: 'rocAuc' }] }), 'gates[0].metric', /no metric of regression/],
    ['a regression watched as classes are', changed({ features: { ...features, task: 'regression' }, monitor: { quality: { metric: 'f1' } } }), 'monitor.quality.metric', /no metric of regression/],
    ['an estimate of a regression', changed({ features: { ...features, task: 'regression' }, monitor: { quality: { estimate: true } } }), 'monitor.quality.estimate', /rmse cannot be estimated/],
    ['decisions of a regression', changed({ features: { ...features, task: 'regression' }, monitor: { concept: { detector: 'ddm' } } }), 'monitor.concept', /a regression makes none/],
    ['a warning after the drift', changed({ monitor: { concept: { detector: 'ddm', warningThreshold: 4 } } }), 'monitor.concept.warningThreshold', /above driftThreshold/],
    ['too much for a history', changed({ features: { ...features, sql: `select 1 --${'x'.repeat(70_000)}` } }), '', /at most 65536/],
  ])('%s', (_what, value, path, message) => {
    const error = errorsOf(value).find((candidate) => candidate.path === path);
    expect(error, JSON.stringify(errorsOf(value))).toBeDefined();
    expect(error?.message).toMatch(message);
    expect(error?.fix).not.toBe('');
  });

  it('has two steps of one name', () => {
    const twice = stepsPipeline('late', [{ name: 'a', kind: 'noop' }, { name: 'a', kind: 'noop' }]);
    expect(errorsOf(twice)).toMatchObject([{ path: 'steps[1].name' }]);
  });
});

describe('a pipeline that is valid', () => {
  it('gets its defaults, its kind and its name', () => {
    const { kind: _kind, name: _name, ...rest } = modelPipeline('late');
    const spec = validatePipeline({ value: rest, lineOf: () => undefined }, 'late');
    expect(spec).toMatchObject({ kind: 'model', name: 'late', triggers: { drift: false }, rollout: { deadlineMs: 1_000 } });
    expect(spec.kind === 'model' && spec.rollout.strategy === 'canary' && spec.rollout.steps.map((step) => step.weight)).toEqual([5, 25, 50, 100]);
  });

  it('is warned of what can never happen', () => {
    const warnings = (changes: Record<string, unknown>) => warningsOf(validatePipeline({ value: changed({ gates: [{ kind: 'rows', min: 1 }], ...changes }), lineOf: () => undefined }, 'late'));
    expect(warnings({})).toEqual([]);
    expect(warnings({ triggers: { drift: true } })).toEqual([expect.stringMatching(/nobody looks for drift/)]);
    expect(warnings({ monitor: { rows: 100 } })).toEqual([expect.stringMatching(/no window can be judged/)]);
    expect(warnings({ gates: [] })).toEqual([expect.stringMatching(/no gates/)]);
  });
});

describe('YAML', () => {
  const refusal = (text: string): RequestRefused['errors'][number] | undefined => {
    try {
      validatePipeline(parseYaml(text), 'late');
    } catch (error) {
      if (error instanceof RequestRefused) return error.errors[0];
      throw error;
    }
    return undefined;
  };

  it('has lines in its errors', () => {
    expect(refusal('kind: steps\nsteps:\n  - name: a\n    kind: noop\n    pol: x\n')).toMatchObject({ path: 'steps[0].pol', line: 5 });
    expect(refusal('kind: steps\nsteps:\n  - {name: a, kind: noop}\n  - {name: "a b", kind: noop}\n')).toMatchObject({ path: 'steps[1].name', line: 4 });
    expect(refusal('kind: steps\n\nsteps: []\n')).toMatchObject({ path: 'steps', line: 3 });
  });

  it.each([
    ['a duplicate key', 'kind: steps\nkind: model\n', /unique/i, 2],
    ['a tag', 'a: !!js/function "x"\n', /tag/i, 1],
    ['broken text', 'a: [1, 2\nb: 3\n', /./, undefined],
    ['two documents', 'a: 1\n---\nb: 2\n', /document/i, undefined],
    ['a poisoned key', '__proto__:\n  polluted: true\n', /__proto__/, 1],
    ['a key that is a list', '? [a]\n: 1\n', /plain word/, undefined],
    ['an unknown alias', 'a: *nowhere\n', /alias/i, undefined],
  ])('refuses %s', (_what, text, message, line) => {
    const error = refusal(text);
    expect(error?.message).toMatch(message);
    if (line !== undefined) expect(error?.line).toBe(line);
  });

  it('refuses an alias bomb and deep nesting quickly', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghij'.split('').map((letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`)].join('\n');
    const startedAt = performance.now();
    expect(refusal(bomb)?.message).toMatch(/alias/i);
    expect(refusal('['.repeat(100_000))?.message).toMatch(/nests deeper/);
    expect(refusal(`${'- '.repeat(50_000)}x`)?.message).toMatch(/nests too deep|expected an object/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('leaves Object.prototype alone', () => {
    refusal('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
