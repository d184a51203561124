/** Log output of one process: cut into lines, the last ones remembered for error messages, all kept in a file. */
import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

const rememberedLines = 40;
const longestLine = 16_384;
const largestFile = 32 * 1024 * 1024;

export type LogLines = {
  /** Reads a stream of a process to its end. */
  follow: (stream: Readable) => void;
  /** Adds a line of the supervisor's own. */
  note: (line: string) => void;
  /** The last lines, newest last. */
  last: () => string[];
  close: () => void;
};

/** Cuts a byte stream into lines; a line without end is cut at `longestLine`, so it cannot fill the memory. */
const forEachLine = (stream: Readable, onLine: (line: string) => void): void => {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, '').slice(0, longestLine));
    if (rest.length > longestLine) {
      onLine(rest.slice(0, longestLine));
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  // A pipe torn by the end of the process is that end, which is seen elsewhere.
  stream.on('error', () => undefined);
};

const openFile = (path: string): WriteStream => {
  mkdirSync(dirname(path), { recursive: true });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > largestFile) renameSync(path, `${path}.old`);
  const file = createWriteStream(path, { flags: 'a' });
  // A full disk must not end the supervisor: the lines still go to the terminal.
  file.on('error', () => undefined);
  return file;
};

/** Lines of one process over all its restarts, kept in the file at `path` and told to `onLine`. */
export const createLogLines = (path: string, onLine: (line: string) => void): LogLines => {
  const file = openFile(path);
  let remembered: string[] = [];
  const note = (line: string): void => {
    remembered = [...remembered.slice(1 - rememberedLines), line];
    file.write(`${line}\n`);
    onLine(line);
  };
  return {
    follow: (stream) => forEachLine(stream, note),
    note,
    last: () => remembered,
    close: () => file.end(),
  };
};
