/** What the command line prints. Text from a server is never trusted: it cannot steer the terminal. */
export type Output = {
  json: boolean;
  /** A line for people; nothing in JSON mode. */
  say(line: string): void;
  /** The one document of a command in JSON mode, or one line of a stream. */
  document(value: unknown): void;
  table(rows: readonly Record<string, unknown>[], columns: readonly string[]): void;
  /** Colours only where a person looks: a terminal that has them, and NO_COLOR is not set. */
  paint(style: Style, text: string): string;
};

export type Style = 'red' | 'green' | 'yellow' | 'dim';

const CODES: Record<Style, number> = { red: 31, green: 32, yellow: 33, dim: 2 };

/** C0 and C1 control characters, and those that turn the direction of text. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One line of harmless text. */
export const clean = (text: string): string => text.replace(CONTROL, (character) => (character === '\t' || character === '\n' ? ' ' : ''));

/** JSON whose strings cannot steer a terminal either: JSON itself escapes only the C0 characters. */
const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

export const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '-';
  return clean(typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value));
};

/** Columns as wide as their widest cell, two spaces between. */
export const tableLines = (rows: readonly Record<string, unknown>[], columns: readonly string[]): string[] => {
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, index) => Math.max(column.length, ...cells.map((line) => line[index]?.length ?? 0)));
  const lineOf = (line: readonly string[]): string => line.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ').trimEnd();
  return [lineOf(columns.map((column) => column.toUpperCase())), ...cells.map(lineOf)];
};

export const createOutput = (json: boolean, stream: NodeJS.WriteStream = process.stdout): Output => {
  // hasColors heeds NO_COLOR, FORCE_COLOR and TERM.
  const colours = !json && stream.isTTY === true && stream.hasColors();
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    json,
    say: (line) => (json ? undefined : write(line)),
    document: (value) => write(safeJson(value)),
    table: (rows, columns) => {
      if (json) return;
      if (rows.length === 0) write('(none)');
      else tableLines(rows, columns).forEach(write);
    },
    paint: (style, text) => (colours ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text),
  };
};
