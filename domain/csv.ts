/** Comma-separated values, as RFC 4180 writes them. */
import { PerennialFailure } from './failure.ts';

/** The text of a cell, without its quotes; null where nothing stands between two commas. */
export type CsvCell = string | null;

const malformed = (line: number, what: string): PerennialFailure => new PerennialFailure('MalformedBody', `CSV, line ${line}: ${what}`);

/** A cell that ends where the next character is `end`; `lines` is how many line breaks it holds. */
type Read = { cell: CsvCell; end: number; lines: number };

const readQuoted = (text: string, start: number, line: number): Read => {
  let from = start + 1;
  let cell = '';
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) throw malformed(line, 'a quote is not closed');
    cell += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      if (quote + 1 < text.length && !',\r\n'.includes(text[quote + 1] as string)) throw malformed(line, 'text follows a quoted value');
      return { cell, end: quote + 1, lines: cell.split('\n').length - 1 };
    }
    cell += '"';
    from = quote + 2;
  }
};

const END_OF_CELL = /[,\r\n"]/g;

const readPlain = (text: string, start: number, line: number): Read => {
  END_OF_CELL.lastIndex = start;
  const end = END_OF_CELL.exec(text)?.index ?? text.length;
  if (text[end] === '"') throw malformed(line, 'a quote stands within a value that is not quoted');
  return { cell: end === start ? null : text.slice(start, end), end, lines: 0 };
};

/**
 * The rows of a CSV text, at most `mostRows`. Blank lines between rows are passed over; a single column may have empty cells only in quotes.
 * @throws PerennialFailure MalformedBody that names the line
 */
export const parseCsv = (text: string, mostRows: number): CsvCell[][] => {
  const rows: CsvCell[][] = [];
  let row: CsvCell[] = [];
  let line = 1;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const { cell, end, lines } = text[at] === '"' ? readQuoted(text, at, line) : readPlain(text, at, line);
    row.push(cell);
    line += lines;
    at = end + 1;
    if (text[end] === ',') {
      // What ends with a comma has one more, empty cell.
      if (at === text.length) row.push(null);
      continue;
    }
    if (text[end] === '\r' && text[at] === '\n') at += 1;
    line += 1;
    if (row.length > 1 || row[0] !== null) rows.push(row);
    if (rows.length > mostRows) throw malformed(line, `there are more than ${mostRows} rows`);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
};
