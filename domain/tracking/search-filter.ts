/**
 * MLflow's filter language: comparisons joined by AND; OR, NOT IN and parentheses are understood everywhere, beyond what MLflow does.
 * `metrics.loss < 0.1 and (params.model = 'tree' or tags.team ilike 'risk%')`
 */
import { subjectOf, type SearchTarget, type Subject } from './search-targets.ts';
import { SearchRefused, tokensOf, type Token } from './search-tokens.ts';

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE';
export type Test = { comparator: Comparator; value: string | number } | { among: string[]; negated: boolean } | { isNull: boolean };
export type Filter = { all: Filter[] } | { any: Filter[] } | { subject: Subject; test: Test };

const MOST_CHARACTERS = 20_000;
const MOST_CONDITIONS = 100;
const MOST_NESTING = 20;

const TEXT_COMPARATORS: readonly string[] = ['=', '!=', 'LIKE', 'ILIKE'];
const NUMBER_COMPARATORS: readonly string[] = ['=', '!=', '<', '<=', '>', '>='];
const SPELLINGS: Record<string, string> = { '==': '=', '<>': '!=' };

type Reader = { filter: string; tokens: Token[]; at: number; conditions: number; depth: number; target: SearchTarget };

const refuse = (reader: Reader, why: string): SearchRefused => {
  const token = reader.tokens[reader.at];
  const place = token === undefined ? 'at its end' : `at '${token.text.slice(0, 60)}' (position ${token.at})`;
  return new SearchRefused(`Invalid clause(s) in filter string: ${why} ${place} in "${reader.filter.slice(0, 200)}"`);
};

const isWord = (token: Token | undefined, word: string): boolean => token?.kind === 'word' && token.text.toUpperCase() === word;
const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === 'sign' && token.text === sign;

const take = (reader: Reader, matches: (token: Token | undefined) => boolean): boolean => {
  if (!matches(reader.tokens[reader.at])) return false;
  reader.at += 1;
  return true;
};
const takeWord = (reader: Reader, word: string): boolean => take(reader, (token) => isWord(token, word));
const takeSign = (reader: Reader, sign: string): boolean => take(reader, (token) => isSign(token, sign));

const readList = (reader: Reader): string[] => {
  if (!takeSign(reader, '(')) throw refuse(reader, 'a list in parentheses is expected after IN');
  const values: string[] = [];
  do {
    const token = reader.tokens[reader.at];
    if (token?.kind !== 'text') throw refuse(reader, 'a quoted string is expected in the list');
    values.push(token.text);
    reader.at += 1;
  } while (takeSign(reader, ','));
  if (!takeSign(reader, ')')) throw refuse(reader, 'a list must end with a closing parenthesis');
  return values;
};

const readValue = (reader: Reader, { kind, key, type }: Subject): string | number => {
  const token = reader.tokens[reader.at];
  if (type === 'number') {
    const value = token?.kind === 'number' ? Number(token.text) : NaN;
    if (!Number.isFinite(value)) throw refuse(reader, `Expected numeric value type for ${kind} '${key}'`);
    reader.at += 1;
    return value;
  }
  if (token?.kind !== 'text') throw refuse(reader, `Expected a quoted string value for ${kind} '${key}'`);
  reader.at += 1;
  return token.text;
};

const readTest = (reader: Reader, subject: Subject): Test => {
  if (takeWord(reader, 'IS')) {
    const isNull = !takeWord(reader, 'NOT');
    if (!takeWord(reader, 'NULL')) throw refuse(reader, 'IS must be followed by NULL or NOT NULL');
    return { isNull };
  }
  const negated = takeWord(reader, 'NOT');
  if (takeWord(reader, 'IN')) {
    if (subject.type === 'number') throw refuse(reader, `IN is for strings, and ${subject.kind} '${subject.key}' is a number`);
    return { among: readList(reader), negated };
  }
  const token = reader.tokens[reader.at];
  const spelling = token?.text.toUpperCase() ?? '';
  const comparator = SPELLINGS[spelling] ?? spelling;
  const known = subject.type === 'number' ? NUMBER_COMPARATORS : TEXT_COMPARATORS;
  if (negated || token === undefined || !known.includes(comparator)) throw refuse(reader, `Invalid comparator for ${subject.kind} '${subject.key}' (${known.join(', ')})`);
  reader.at += 1;
  return { comparator: comparator as Comparator, value: readValue(reader, subject) };
};

const readCondition = (reader: Reader): Filter => {
  const token = reader.tokens[reader.at];
  if (token?.kind !== 'word') throw refuse(reader, 'a key such as metrics.loss is expected');
  reader.conditions += 1;
  if (reader.conditions > MOST_CONDITIONS) throw refuse(reader, `more than ${MOST_CONDITIONS} conditions`);
  const subject = subjectOf(reader.target, token.text);
  reader.at += 1;
  return { subject, test: readTest(reader, subject) };
};

const readFactor = (reader: Reader): Filter => {
  if (!takeSign(reader, '(')) return readCondition(reader);
  reader.depth += 1;
  if (reader.depth > MOST_NESTING) throw refuse(reader, `parentheses nested deeper than ${MOST_NESTING}`);
  const inner = readAny(reader);
  if (!takeSign(reader, ')')) throw refuse(reader, 'a closing parenthesis is expected');
  reader.depth -= 1;
  return inner;
};

const readAll = (reader: Reader): Filter => {
  const all = [readFactor(reader)];
  while (takeWord(reader, 'AND')) all.push(readFactor(reader));
  return all.length === 1 ? (all[0] as Filter) : { all };
};

const readAny = (reader: Reader): Filter => {
  const any = [readAll(reader)];
  while (takeWord(reader, 'OR')) any.push(readAll(reader));
  return any.length === 1 ? (any[0] as Filter) : { any };
};

/** Reads a filter; undefined when it asks nothing. @throws SearchRefused with what is wrong and where */
export const parseFilter = (target: SearchTarget, filter: string | undefined): Filter | undefined => {
  if (filter === undefined || filter.trim() === '') return undefined;
  if (filter.length > MOST_CHARACTERS) throw new SearchRefused(`Invalid clause(s) in filter string: it is longer than ${MOST_CHARACTERS} characters`);
  const reader: Reader = { filter, tokens: tokensOf(filter), at: 0, conditions: 0, depth: 0, target };
  const read = readAny(reader);
  if (reader.at < reader.tokens.length) throw refuse(reader, 'AND or OR is expected');
  return read;
};
