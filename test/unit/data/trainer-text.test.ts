/** What trainers write: a log that stays small, and progress lines that may be anything. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCappedLog } from '../../../adapters/trainers/capped-log.ts';
import { createProgressReader } from '../../../adapters/trainers/progress-lines.ts';

const logOf = (limit: number, ...chunks: string[]) => {
  const log = createCappedLog(limit);
  for (const chunk of chunks) log.add(Buffer.from(chunk));
  return log;
};

describe('a capped log', () => {
  it('is what was written while that is little', () => {
    expect(logOf(100, 'one\n', 'two\n').content().toString()).toBe('one\ntwo\n');
    expect(logOf(100).content().toString()).toBe('');
  });

  it('keeps the first and the last bytes, and counts the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...'abcdefghij'), maxLength: 60 }), { maxLength: 60 }), (chunks) => {
        const all = chunks.join('');
        const content = logOf(40, ...chunks).content().toString();
        if (all.length <= 40) expect(content).toBe(all);
        else expect(content).toBe(`${all.slice(0, 20)}\n[${all.length - 40} bytes left out]\n${all.slice(-20)}`);
      }),
    );
  });

  it('shows its last lines without blanks, control characters or colours', () => {
    expect(logOf(1_000, 'a\r\n\n\u001b[31mred\u001b[0m\u0007\n', `  \n${'x'.repeat(600)}`).lastLines(2)).toEqual(['red', 'x'.repeat(500)]);
    expect(logOf(1_000, Array.from({ length: 50 }, (_, index) => `line ${index}\n`).join('')).lastLines(20)).toHaveLength(20);
  });
});

describe('progress lines', () => {
  const read = (chunks: (string | Buffer)[]) => {
    const seen: unknown[] = [];
    const add = createProgressReader({ onProgress: (progress) => seen.push(progress), onCheckpoint: (checkpoint) => seen.push(checkpoint) });
    for (const chunk of chunks) add(Buffer.from(chunk as string));
    return seen;
  };

  it('are read however they are cut into chunks', () => {
    const lines = '{"type":"progress","done":1,"total":2,"metrics":{"ü":0.5}}\n{"type":"checkpoint","path":"/x","done":1}\n{"type":"metric","key":"a","value":1,"step":1}\n{"type":"progress","done":2,"total":2}\n';
    const expected = [{ done: 1, total: 2, metrics: { ü: 0.5 } }, { path: '/x', done: 1 }, { done: 2, total: 2, metrics: {} }];
    const bytes = Buffer.from(lines);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 10 }), (cuts) => {
        const at = [0, ...cuts.sort((left, right) => left - right), bytes.length];
        expect(read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toEqual(expected);
      }),
    );
  });

  it('that are no lines of the contract are left out', () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`m${index}`, index])));
    for (const line of ['', 'null', '[]', '{"type":"progress","done":"1","total":2}', '{"type":"progress","done":1e999,"total":2}', `{"type":"progress","done":1,"total":2,"metrics":${many}}`, '{"type":"checkpoint","path":"","done":1}']) {
      expect(read([`${line}\n`])).toEqual([]);
    }
  });

  it('that never end take no memory, and the next line is read again', () => {
    const flood = Array.from({ length: 50 }, () => 'x'.repeat(10_000));
    expect(read([...flood, '\n{"type":"progress","done":1,"total":2}\n'])).toEqual([{ done: 1, total: 2, metrics: {} }]);
  });

  it('never throw, whatever bytes they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read([Buffer.from(bytes), '\n'])));
  });
});
