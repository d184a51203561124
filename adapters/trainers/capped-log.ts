/** The log of a training: its beginning and its end are kept, whatever it writes in between. */

const NEWLINE = 10;

/** Text as it may be shown: one line, no control characters, no escape sequences. */
const plainLine = (line: string): string =>
  line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').slice(0, 500);

export type CappedLog = {
  add(chunk: Buffer): void;
  /** The whole log, with a line that says how much was left out. */
  content(): Buffer;
  /** The last lines that are not blank. */
  lastLines(count: number): string[];
};

/** Keeps the first and the last half of `limitBytes`; memory stays within a small multiple of it. */
export const createCappedLog = (limitBytes: number): CappedLog => {
  const half = Math.floor(limitBytes / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let droppedBytes = 0;

  const trimTail = (): void => {
    const kept = Buffer.concat(tail).subarray(-half);
    droppedBytes += tailBytes - kept.length;
    tail = [Buffer.from(kept)];
    tailBytes = kept.length;
  };

  const content = (): Buffer => {
    if (tailBytes > half) trimTail();
    const note = droppedBytes === 0 ? [] : [Buffer.from(`\n[${droppedBytes} bytes left out]\n`)];
    return Buffer.concat([...head, ...note, ...tail]);
  };

  return {
    add: (chunk) => {
      const room = half - headBytes;
      if (room > 0) {
        const first = Buffer.from(chunk.subarray(0, room));
        head.push(first);
        headBytes += first.length;
      }
      if (chunk.length <= room) return;
      const rest = Buffer.from(chunk.subarray(Math.max(room, 0)));
      tail.push(rest);
      tailBytes += rest.length;
      // Twice the half before it is cut: so that a flood is not copied again with each of its chunks.
      if (tailBytes > half * 2) trimTail();
    },
    content,
    lastLines: (count) => {
      const bytes = content().subarray(-64 * 1024);
      const firstBreak = bytes.length === 64 * 1024 ? bytes.indexOf(NEWLINE) + 1 : 0;
      const lines = bytes.subarray(firstBreak).toString('utf8').split(/\r?\n|\r/).map(plainLine);
      return lines.filter((line) => line.trim() !== '').slice(-count);
    },
  };
};
