/** What is printed cannot steer the terminal, and tables line up. */
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cell, clean, createOutput, tableLines } from '../../../cli/output.ts';
import { stepLine } from '../../../cli/watch-run.ts';

const captured = (options: { json?: boolean; tty?: boolean }, work: (output: ReturnType<typeof createOutput>) => void): string => {
  const stream = Object.assign(new PassThrough(), { isTTY: options.tty === true, hasColors: () => options.tty === true });
  work(createOutput(options.json === true, stream as unknown as NodeJS.WriteStream));
  return (stream.read() as Buffer | null)?.toString() ?? '';
};

const EVIL = '\u001b[31mred\u001b]0;title\u0007\u009b2J\u202Eabc\r\nnext';
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('text of a server', () => {
  it('loses its control characters', () => expect(clean(EVIL)).toBe('[31mred]0;title2Jabc next'));

  it('has none left, whatever it was', () => {
    const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xa0 }), fc.integer({ min: 0x2000, max: 0x2070 }), fc.integer({ min: 0, max: 0xffff })));
    fc.assert(fc.property(units.map((codes) => String.fromCharCode(...codes)), (text) => !CONTROL.test(clean(text))));
  });

  it('is harmless in JSON, and still the same value', () => {
    const text = captured({ json: true }, (output) => output.document({ name: EVIL }));
    expect(text.trimEnd()).not.toMatch(CONTROL);
    expect(JSON.parse(text)).toEqual({ name: EVIL });
  });

  it('is harmless in a line of a step', () => {
    const step = { name: EVIL, state: 'failed' as const, waitingFor: null, attempts: 2, failure: { code: 'Internal', message: EVIL, fix: '' }, durationMs: 1_200 };
    captured({}, (output) => expect(stepLine(output, step)).not.toMatch(CONTROL));
  });
});

describe('output', () => {
  it('says nothing but the document in JSON mode', () => {
    const text = captured({ json: true }, (output) => {
      output.say('for people');
      output.table([{ a: 1 }], ['a']);
      output.document({ a: 1 });
    });
    expect(text).toBe('{"a":1}\n');
  });

  it('has colours only on a terminal that has them', () => {
    expect(captured({}, (output) => output.say(output.paint('red', 'x')))).toBe('x\n');
    expect(captured({ tty: true }, (output) => output.say(output.paint('red', 'x')))).toBe('\u001b[31mx\u001b[0m\n');
  });

  it('lines up tables', () => {
    expect(tableLines([{ name: 'flights', rows: 12 }, { name: 'x', rows: null }], ['name', 'rows'])).toEqual(['NAME     ROWS', 'flights  12', 'x        -']);
    expect(captured({}, (output) => output.table([], ['a']))).toBe('(none)\n');
    expect(cell({ a: 1 })).toBe('{"a":1}');
  });
});
