/** Checks a pipeline that a user sent, and says everything that is wrong with it at once. */
import { PipelineSpec } from '../../contracts/pipeline.ts';
import { explainIssues } from '../http/explain-issues.ts';
import { RequestRefused, type FieldError } from '../http/problem.ts';
import { canonicalJson } from '../http/unique.ts';
import { contradictionsOf } from './contradictions.ts';
import type { ParsedText } from './parse-text.ts';

/** A run's history holds the pipeline by value, and nothing in a history is larger. */
const MOST_BYTES = 65_536;

const sizeError = (spec: PipelineSpec): FieldError[] => {
  const bytes = Buffer.byteLength(canonicalJson(spec));
  if (bytes <= MOST_BYTES) return [];
  return [{ path: '', message: `the pipeline is ${bytes} bytes; at most ${MOST_BYTES} are allowed`, fix: 'Use globs in place of long lists of files, and a shorter SQL.' }];
};

const nameError = (spec: PipelineSpec, name: string): FieldError[] =>
  spec.name === name ? [] : [{ path: 'name', message: `is "${spec.name}", but the path says "${name}"`, fix: 'Give both the same name.' }];

/** `kind` may be left out for a model, and `name` where the path says it. */
const withDefaults = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { kind: 'model', name, ...value } : value;

/**
 * The pipeline with all its defaults.
 * @throws RequestRefused InvalidPipeline with path, message, fix (and the line in YAML) of each mistake
 */
export const validatePipeline = (parsed: ParsedText, name: string): PipelineSpec => {
  const value = withDefaults(parsed.value, name);
  const result = PipelineSpec.safeParse(value, { reportInput: true });
  const errors = result.success
    ? [...nameError(result.data, name), ...contradictionsOf(result.data), ...sizeError(result.data)]
    : explainIssues(PipelineSpec, result.error.issues, value);
  if (result.success && errors.length === 0) return result.data;
  throw new RequestRefused('InvalidPipeline', errors.map((error) => withLine(error, parsed)));
};

/** `gates[0].metric` back to its keys. */
const keysOf = (path: string): PropertyKey[] => (path === '' ? [] : path.split(/\.|\[|\]\.?/).filter((part) => part !== '').map((part) => (/^\d+$/.test(part) ? Number(part) : part)));

const withLine = (error: FieldError, parsed: ParsedText): FieldError => {
  const line = parsed.lineOf(keysOf(error.path));
  return line === undefined ? error : { ...error, line };
};
