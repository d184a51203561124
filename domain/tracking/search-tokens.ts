/** Tokens of MLflow's filter language: keys with back-ticks or quotes, strings, numbers, comparators, words, brackets and commas. */
import { TrackingRefusal } from './refusal.ts';

export type Token = { kind: 'word' | 'text' | 'number' | 'sign'; text: string; at: number };

/** A filter that cannot be read, or asks what cannot be asked. */
export class SearchRefused extends TrackingRefusal {
  constructor(message: string) {
    super('INVALID_PARAMETER_VALUE', message);
    this.name = 'SearchRefused';
  }
}

const SPACE = /\s+/y;
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.`"])/y;
const SIGN = /<=|>=|!=|<>|==|[=<>(),]/y;
/** A string in single or double quotes; a doubled quote is the quote itself. */
const TEXT = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;
/** A key such as metrics.loss, tags.mlflow.user, params.`my key`, tag."a b", `Run name`. */
const WORD = /(?:[\p{L}\p{N}_$@%:/.*+-]+(?:[`](?:[^`])*[`]|"(?:[^"])*")?|`[^`]*`)/uy;

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

const tokenAt = (text: string, at: number): { token: Token; end: number } | undefined => {
  const number = matchAt(NUMBER, text, at);
  if (number !== null) return { token: { kind: 'number', text: number[0], at }, end: at + number[0].length };
  const sign = matchAt(SIGN, text, at);
  if (sign !== null) return { token: { kind: 'sign', text: sign[0], at }, end: at + sign[0].length };
  const quoted = matchAt(TEXT, text, at);
  if (quoted !== null) {
    const inner = quoted[1] === undefined ? (quoted[2] ?? '').replaceAll('""', '"') : quoted[1].replaceAll("''", "'");
    return { token: { kind: 'text', text: inner, at }, end: at + quoted[0].length };
  }
  const word = matchAt(WORD, text, at);
  return word === null ? undefined : { token: { kind: 'word', text: word[0], at }, end: at + word[0].length };
};

/** @throws SearchRefused at a character that starts no token */
export const tokensOf = (text: string): Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(SPACE, text, at)?.[0].length ?? 0;
    if (at >= text.length) return tokens;
    const found = tokenAt(text, at);
    if (found === undefined) throw new SearchRefused(`Invalid clause(s) in filter string: '${text.slice(at, at + 40)}' at position ${at}`);
    tokens.push(found.token);
    at = found.end;
  }
};
