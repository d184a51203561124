/** MLflow's filter language: what it reads, and what it says of what it cannot read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetOf, pageOf } from '../../../domain/tracking/paging.ts';
import { artifactPath, pathOfUri } from '../../../domain/tracking/artifact-path.ts';
import { TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { parseFilter, type Filter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { EXPERIMENTS, LOGGED_MODELS, MODEL_VERSIONS, REGISTERED_MODELS, RUNS } from '../../../domain/tracking/search-targets.ts';
import { tokensOf } from '../../../domain/tracking/search-tokens.ts';

/** A filter in short: `(a = 1 and (b = 2 or c is null))`. */
const short = (filter: Filter | undefined): string => {
  if (filter === undefined) return '';
  if ('all' in filter) return `(${filter.all.map(short).join(' and ')})`;
  if ('any' in filter) return `(${filter.any.map(short).join(' or ')})`;
  const { subject, test } = filter;
  const key = `${subject.kind}:${subject.key}`;
  if ('isNull' in test) return `${key} ${test.isNull ? 'is null' : 'is not null'}`;
  if ('among' in test) return `${key} ${test.negated ? 'not in' : 'in'} ${test.among.join('|')}`;
  return `${key} ${test.comparator} ${test.value}`;
};

describe('a filter', () => {
  it.each([
    ['metrics.loss < 0.1', 'metric:loss < 0.1'],
    ['metric.`my loss`>=-1e-3', 'metric:my loss >= -0.001'],
    [`params."a.b" != 'it''s'`, "param:a.b != it's"],
    ['parameters.model like "tr%"', 'param:model LIKE tr%'],
    ["tags.mlflow.user ILIKE '%ü%' AND status = 'FINISHED'", '(tag:mlflow.user ILIKE %ü% and attribute:status = FINISHED)'],
    ["attributes.`Run name` = 'x'", 'attribute:run_name = x'],
    ["`run name` = 'x' and created > 5", '(attribute:run_name = x and attribute:start_time > 5)'],
    ["run_id IN ('a', 'b') and attribute.run_id not in ('c')", '(attribute:run_id in a|b and attribute:run_id not in c)'],
    ['params.x IS NULL and tags.y is not null', '(param:x is null and tag:y is not null)'],
    ["dataset.context = 'train' and datasets.name LIKE 'f%'", '(dataset:context = train and dataset:name LIKE f%)'],
    ["metrics.a > 1 and metrics.b > 2 or metrics.c > 3", '((metric:a > 1 and metric:b > 2) or metric:c > 3)'],
    ["metrics.a > 1 and (metrics.b > 2 or not_null.x = 'y')", undefined],
    ["(metrics.a > 1 or metrics.b > 2) and tags.t = ''", '((metric:a > 1 or metric:b > 2) and tag:t = )'],
    ['  ', ''],
  ])('%s', (filter, expected) => {
    if (expected === undefined) expect(() => parseFilter(RUNS, filter)).toThrow("Invalid entity type 'not_null'");
    else expect(short(parseFilter(RUNS, filter))).toBe(expected);
  });

  it.each([
    ["metrics.loss < 'a'", "Expected numeric value type for metric 'loss' at 'a' (position 15)"],
    ['params.depth = 3', "Expected a quoted string value for param 'depth'"],
    ["metrics.loss LIKE 'a'", "Invalid comparator for metric 'loss'"],
    ["params.depth > '3'", "Invalid comparator for param 'depth'"],
    ['metrics.loss < 1 and', 'a key such as metrics.loss is expected at its end'],
    ['metrics.loss < 1 metrics.b > 2', 'AND or OR is expected'],
    ["status = 'a'; drop table runs", "at position 12"],
    ["run_id in ()", 'a quoted string is expected in the list'],
    ["run_id in ('a'", 'a list must end with a closing parenthesis'],
    ['(metrics.a > 1', 'a closing parenthesis is expected'],
    ['nothing = 1', "Invalid attribute key 'nothing' specified. Valid keys for runs are: run_id"],
    ["constructor = 'x'", "Invalid attribute key 'constructor'"],
    ["dataset.owner = 'x'", "Invalid dataset key 'owner'"],
    ["tags. = 'x'", 'names no key'],
    [`${'('.repeat(30)}metrics.a > 1`, 'parentheses nested deeper than 20'],
    [Array.from({ length: 101 }, () => 'metrics.a > 1').join(' and '), 'more than 100 conditions'],
    ['x'.repeat(20_001), 'longer than 20000'],
  ])('that cannot be read is refused (%#)', (filter, words) => {
    const act = () => parseFilter(RUNS, filter);
    expect(act).toThrow(TrackingRefusal);
    expect(act).toThrow(words);
  });

  it('knows what each kind of thing has', () => {
    expect(short(parseFilter(MODEL_VERSIONS, "name = 'm' and version_number > 1 and tags.a != 'b'"))).toBe('(attribute:name = m and attribute:version_number > 1 and tag:a != b)');
    expect(short(parseFilter(LOGGED_MODELS, "source_run_id = 'x' and creation_time > 1"))).toBe('(attribute:source_run_id = x and attribute:creation_timestamp > 1)');
    expect(() => parseFilter(REGISTERED_MODELS, 'metrics.a > 1')).toThrow("Invalid entity type 'metrics'. Valid values for registered models are: attribute, tag");
    expect(() => parseFilter(EXPERIMENTS, "params.a = 'b'")).toThrow('Valid values for experiments');
  });

  it('never fails otherwise, whatever is sent', () => {
    const pieces = fc.constantFrom('metrics.a', 'tags.`b c`', '=', '>', '1', "'x'", 'and', 'or', '(', ')', 'IN', ',', 'not', 'is', 'null', ' ', '"', '`', "'", '\u0000', 'ü');
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (parts) => {
        try {
          parseFilter(RUNS, parts.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(TrackingRefusal);
        }
      }),
    );
  });

  it('keeps quoted text as it is', () => {
    fc.assert(fc.property(fc.string(), (text) => void expect(tokensOf(`'${text.replaceAll("'", "''")}'`)).toEqual([{ kind: 'text', text, at: 0 }])));
  });
});

describe('an order', () => {
  it.each([
    [['metrics.loss DESC', 'start_time'], ['metric:loss desc', 'attribute:start_time asc']],
    [['params.`a b` asc', 'attributes.`Run name`   desc'], ['param:a b asc', 'attribute:run_name desc']],
    [['run name DESC'], ['attribute:run_name desc']],
  ])('%j', (clauses, expected) => expect(parseOrder(RUNS, clauses).map(({ subject, descending }) => `${subject.kind}:${subject.key} ${descending ? 'desc' : 'asc'}`)).toEqual(expected));

  it.each([['metrics.loss sideways'], [''], ['dataset.name'], ['nothing']])('that cannot be read is refused: %s', (clause) => expect(() => parseOrder(RUNS, [clause])).toThrow(TrackingRefusal));
});

describe('a page token', () => {
  it('leads to the next page of its search alone', () => {
    const first = pageOf([1, 2, 3], { limit: 2, offset: 0, search: 'a' });
    expect(first).toEqual({ entries: [1, 2], nextPageToken: expect.any(String) });
    expect(offsetOf(first.nextPageToken, 'a')).toBe(2);
    expect(() => offsetOf(first.nextPageToken, 'b')).toThrow(TrackingRefusal);
    expect(() => offsetOf('anything', 'a')).toThrow('page_token');
    expect(pageOf([3], { limit: 2, offset: 2, search: 'a' })).toEqual({ entries: [3], nextPageToken: undefined });
  });
});

describe('a path of an artifact', () => {
  it.each([['/1/run/artifacts/', '1/run/artifacts'], ['a b/ü', 'a b/ü'], ['', '']])('%s', (given, path) => expect(artifactPath(given)).toBe(path));
  it.each(['../x', 'a/../../b', 'a//b', 'a\\b', 'a/./b', 'x\u0000', 'x'.repeat(2_001)])('is refused (%#)', (given) => expect(() => artifactPath(given)).toThrow(TrackingRefusal));
  it('is read from an address of this server', () => {
    expect(pathOfUri('mlflow-artifacts:/1/x')).toBe('1/x');
    expect(pathOfUri('mlflow-artifacts://host:7070/1/x')).toBe('1/x');
    expect(pathOfUri('s3://bucket/1/x')).toBeUndefined();
  });
});
