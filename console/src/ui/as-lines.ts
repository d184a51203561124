/** A value as lines to compare, in the manner of YAML: each key on its own line, and texts of many lines (SQL) line by line. */
const INDENT = '  ';

const isPlain = (value: unknown): boolean => value === null || typeof value !== 'object';

const scalar = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Short lists and objects of plain values stay on one line, as people write them. */
const MOST_INLINE = 110;

const inline = (value: object): string | undefined => {
  const parts = Array.isArray(value) ? value : Object.values(value as Record<string, unknown>);
  if (parts.some((part) => !isPlain(part) || (typeof part === 'string' && part.includes('\n')))) return undefined;
  const text = Array.isArray(value) ? `[${value.map(scalar).join(', ')}]` : `{ ${Object.entries(value).map(([name, part]) => `${name}: ${scalar(part)}`).join(', ')} }`;
  return text.length <= MOST_INLINE ? text : undefined;
};

const under = (head: string, lines: string[]): string[] => [head, ...lines.map((line) => `${INDENT}${line}`)];

const entry = (head: string, value: unknown): string[] => {
  if (typeof value === 'string' && value.includes('\n')) return under(`${head} |`, value.split('\n'));
  if (isPlain(value)) return [`${head} ${scalar(value)}`];
  const short = inline(value as object);
  return short === undefined ? under(head, asLines(value)) : [`${head} ${short}`];
};

export const asLines = (value: unknown): string[] => {
  if (isPlain(value)) return scalar(value).split('\n');
  if (Array.isArray(value)) return value.flatMap((one) => entry('-', one));
  return Object.entries(value as Record<string, unknown>).flatMap(([name, one]) => entry(`${name}:`, one));
};
