/** Reads the text of a pipeline, YAML or JSON, and remembers on which line each place of it stands. */
import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import { PerennialFailure } from '../../domain/failure.ts';
import { RequestRefused, type FieldError } from '../http/problem.ts';

export type ParsedText = {
  value: unknown;
  /** Line of a path in the text, counted from 1; undefined when it is not known. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
};

/** Twice what a pipeline may be; and the parser compares each key of a mapping with all others, so its time grows with the square. */
const MOST_CHARACTERS = 131_072;
const MOST_ALIASES = 100;
/** Deeper than any pipeline; a parser that recurses must not be led to the end of its stack. */
const DEEPEST = 100;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const refuse = (error: FieldError): RequestRefused => new RequestRefused('MalformedBody', [error]);

const asYaml = (message: string, line?: number): RequestRefused =>
  refuse({ path: '', message: `the YAML is not valid: ${message}`, fix: 'Correct the YAML at this line.', ...(line === undefined ? {} : { line }) });

/** Deep nesting of flow collections is found before the parser, which recurses, sees it. */
const refuseDeepText = (text: string): void => {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > DEEPEST) throw refuse({ path: '', message: `the text nests deeper than ${DEEPEST} levels`, fix: 'Write a pipeline.' });
  }
};

const refuseUnsafe = (document: Document, lines: LineCounter): void => {
  let aliases = 0;
  visit(document, {
    Node: (_, node: Node) => {
      if (isAlias(node)) aliases += 1;
      if (aliases > MOST_ALIASES) throw asYaml(`more than ${MOST_ALIASES} aliases`);
    },
    Pair: (_, pair) => {
      const key = isScalar(pair.key) ? pair.key : undefined;
      const line = key?.range === undefined || key.range === null ? undefined : lines.linePos(key.range[0]).line;
      if (key === undefined || typeof key.value === 'object') throw asYaml('a key must be a plain word', line);
      if (FORBIDDEN_KEYS.has(String(key.value))) throw asYaml(`the key ${String(key.value)} is not allowed`, line);
    },
  });
};

const lineFinder = (document: Document, lines: LineCounter) => {
  const nodeLine = (node: unknown): number | undefined => {
    const range = (node as Node | undefined)?.range;
    return range === undefined || range === null ? undefined : lines.linePos(range[0]).line;
  };
  return (path: readonly PropertyKey[]): number | undefined => {
    const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const key = path.at(-1);
    // The line of a key is where its name stands, not its value, which may begin a line later.
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key)) : undefined;
    if (pair !== undefined) return nodeLine(pair.key);
    return nodeLine(document.getIn(path, true)) ?? nodeLine(parent);
  };
};

/** Nesting that is too deep for the parser comes as an error of the document or as a RangeError, wherever it is walked. */
const TOO_DEEP = /call stack/;

const mistakeOf = ({ message, pos }: { message: string; pos: [number, number] }, lines: LineCounter): RequestRefused =>
  TOO_DEEP.test(message) ? asYaml('it nests too deep') : asYaml(message.split('\n', 1)[0] ?? 'it cannot be read', lines.linePos(pos[0]).line);

const parse = (text: string): ParsedText => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false });
  // An unknown tag is only a warning of the parser's; no pipeline needs one.
  const [mistake] = [...document.errors, ...document.warnings];
  if (mistake !== undefined) throw mistakeOf(mistake, lines);
  refuseUnsafe(document, lines);
  return { value: document.toJS({ maxAliasCount: MOST_ALIASES }), lineOf: lineFinder(document, lines) };
};

/** @throws PerennialFailure MalformedBody with the line of the first mistake, PayloadTooLarge */
export const parseYaml = (text: string): ParsedText => {
  if (text.length > MOST_CHARACTERS) throw new PerennialFailure('PayloadTooLarge', `the YAML has ${text.length} characters; at most ${MOST_CHARACTERS} are allowed`);
  refuseDeepText(text);
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RequestRefused) throw error;
    const message = error instanceof Error ? error.message : '';
    throw asYaml(TOO_DEEP.test(message) ? 'it nests too deep' : message || 'it cannot be read');
  }
};
