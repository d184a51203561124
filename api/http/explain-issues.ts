/** Turns what zod found into sentences for people: where, what was given and expected, and how to mend it. */
import type { z } from 'zod';
import { nearestKey } from '../../domain/nearest-key.ts';
import type { FieldError } from './problem.ts';
import { keysAt } from './schema-walk.ts';

type Issue = z.core.$ZodIssue;
type Explained = Omit<FieldError, 'path' | 'line'>;

const LONGEST_VALUE = 60;

/** `gates[0].metric`: the path as a user would write it. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('');

const shorten = (text: string): string => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);

/** A value in words, never at length: `the text "2"`, `a list of 3`. */
export const describeValue = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the text ${JSON.stringify(shorten(value))}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${String(value)}`;
};

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const typeText = (type: string): string => TYPES[type] ?? type;

const wordList = (words: readonly unknown[]): string => words.filter((word) => word !== null && word !== undefined).map((word) => JSON.stringify(word)).join(', ');

const suggestion = (given: unknown, candidates: readonly unknown[]): string => {
  const words = candidates.filter((candidate): candidate is string => typeof candidate === 'string');
  const nearest = typeof given === 'string' ? nearestKey(given, words) : undefined;
  return nearest === undefined ? '' : `Did you mean "${nearest}"? `;
};

const wrongType = (issue: Issue & { code: 'invalid_type' }): Explained => {
  const expected = typeText(issue.expected);
  if (issue.input === undefined) return { message: `is required: ${expected}`, fix: `Add it: ${expected}.` };
  return { message: `expected ${expected}, got ${describeValue(issue.input)}`, fix: `Give ${expected}.` };
};

const outOfRange = (issue: Issue & { code: 'too_small' | 'too_big' }): Explained => {
  const [limit, inclusive, word] = issue.code === 'too_small' ? [issue.minimum, issue.inclusive, 'least'] : [issue.maximum, issue.inclusive, 'most'];
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  const bound = inclusive === false ? `${word === 'least' ? 'more' : 'less'} than ${limit}` : `at ${word} ${limit}`;
  return { message: `must be ${bound}${unit}, got ${describeValue(issue.input)}`, fix: `Give ${bound}${unit}.` };
};

const wrongValue = (given: unknown, values: readonly unknown[]): Explained => ({
  message: `${describeValue(given)} is not one of ${wordList(values)}`,
  fix: `${suggestion(given, values)}Use one of ${wordList(values)}.`,
});

const wrongFormat = (issue: Issue & { code: 'invalid_format' }): Explained => ({
  message: `expected ${issue.message}, got ${describeValue(issue.input)}`,
  fix: `Give ${issue.message}.`,
});

/** The sentence of one issue that stands at its own path. */
const explain = (issue: Issue): Explained => {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue);
    case 'too_small':
    case 'too_big':
      return outOfRange(issue);
    case 'invalid_value':
      return wrongValue(issue.input, issue.values);
    case 'invalid_format':
      return wrongFormat(issue);
    case 'invalid_key':
      return { message: `${describeValue(issue.input)} is no valid key: ${issue.issues[0]?.message ?? 'a name'}`, fix: `Rename it: ${issue.issues[0]?.message ?? 'a name'}.` };
    default:
      return { message: issue.message, fix: 'Correct this value.' };
  }
};

const unknownKeys = (schema: z.ZodType, issue: Issue & { code: 'unrecognized_keys' }, root: unknown): FieldError[] => {
  const valid = keysAt(schema, { path: issue.path, root });
  return issue.keys.map((key) => ({
    path: pathText([...issue.path, key]),
    message: `there is no key ${JSON.stringify(shorten(key))} here`,
    fix: `${suggestion(key, valid)}${valid.length === 0 ? 'Remove it.' : `Valid keys here: ${valid.join(', ')}.`}`,
  }));
};

/** A union that names no branch by a key: the branch that fits best speaks; if none fits at all, all are named. */
const noBranch = (schema: z.ZodType, issue: Issue & { code: 'invalid_union' }, root: unknown): FieldError[] => {
  const inside = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'));
  const full = (inner: Issue): Issue => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue;
  if (inside !== undefined) return inside.flatMap((inner) => explainIssue(schema, full(inner), root));
  const branches = issue.errors.map((branch) => branch[0]);
  const values = branches.flatMap((inner) => (inner?.code === 'invalid_value' ? inner.values : []));
  const types = branches.flatMap((inner) => (inner?.code === 'invalid_type' ? [typeText(inner.expected)] : []));
  const expected = [...values.map((value) => JSON.stringify(value)), ...types].join(' or ');
  const path = pathText(issue.path);
  if (issue.input === undefined) return [{ path, message: `is required: ${expected}`, fix: `Add it: ${expected}.` }];
  return [{ path, message: `expected ${expected}, got ${describeValue(issue.input)}`, fix: `${suggestion(issue.input, values)}Give ${expected}.` }];
};

const wrongDiscriminator = (issue: Issue & { code: 'invalid_union' }): FieldError => {
  const { discriminator = 'kind', options = [] } = issue as { discriminator?: string; options?: unknown[] };
  const given = (issue.input as Record<string, unknown> | undefined)?.[discriminator];
  const path = pathText(issue.path);
  if (given === undefined) return { path, message: `is required: one of ${wordList(options)}`, fix: `Add ${discriminator}: one of ${wordList(options)}.` };
  return { path, ...wrongValue(given, options) };
};

const explainIssue = (schema: z.ZodType, issue: Issue, root: unknown): FieldError[] => {
  if (issue.code === 'unrecognized_keys') return unknownKeys(schema, issue, root);
  if (issue.code === 'invalid_union') return 'discriminator' in issue && issue.errors.length === 0 ? [wrongDiscriminator(issue)] : noBranch(schema, issue, root);
  return [{ path: pathText(issue.path), ...explain(issue) }];
};

const MOST_ERRORS = 50;

/** Every issue of a parse (made with `reportInput`) as field errors, at most 50. `root` is the whole value that was parsed. */
export const explainIssues = (schema: z.ZodType, issues: readonly Issue[], root: unknown): FieldError[] =>
  issues.flatMap((issue) => explainIssue(schema, issue, root)).slice(0, MOST_ERRORS);
