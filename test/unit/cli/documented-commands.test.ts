/** What the documents tell people to type is what the CLI takes. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../cli/command-line.ts';

const DOCUMENTS = ['README.md', ...readdirSync('docs').filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

/** Command lines in code: fenced, or between backticks. */
const commandLinesOf = (document: string): string[] =>
  [...readFileSync(document, 'utf8').matchAll(/(?:^ {4}|`|^)(?:npx --no )?perennial ([^`#\n]+)/gm)].map(([, words = '']) => words.trim());

/** What the console names where there is nothing yet. */
const consoleLines = (): { document: string; line: string }[] =>
  readdirSync('console/src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsx'))
    .map((name) => `console/src/${name}`)
    .flatMap((document) => [...readFileSync(document, 'utf8').matchAll(/npx --no perennial ([^`<]+?)(?:`|"\s*[>}]|<)/g)].map(([, line = '']) => ({ document, line: line.trim() })));

const WORD = /^[a-z][a-z-]*$/;

/** What is wrong with a command line; undefined when nothing is. */
const mistakeOf = (program: Command, line: string): string | undefined => {
  const words = line.split(/\s+/);
  let command = program;
  for (;;) {
    const [word] = words;
    if (word === 'help') return undefined;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
    words.shift();
  }
  if (command.commands.length > 0 && words[0] !== undefined && WORD.test(words[0])) return `there is no "${words[0]}" of "${command.name()}"`;
  const known = new Set(['--help', '--json', '--url', ...command.options.flatMap(({ long, short }) => [long, short])]);
  return words.map((word) => word.replace(/[^a-z-].*$/i, '')).find((word) => word.startsWith('-') && word.length > 1 && !known.has(word));
};

describe('the console', () => {
  it('names only commands and options that there are', () => {
    const program = createProgram();
    const lines = consoleLines();
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.map(({ document, line }) => ({ document, line, mistake: mistakeOf(program, line) })).filter(({ mistake }) => mistake !== undefined)).toEqual([]);
  });
});

describe('the documents', () => {
  it('name only commands and options that there are', () => {
    const program = createProgram();
    const lines = DOCUMENTS.flatMap((document) => commandLinesOf(document).map((line) => ({ document, line })));
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.map(({ document, line }) => ({ document, line, mistake: mistakeOf(program, line) })).filter(({ mistake }) => mistake !== undefined)).toEqual([]);
  });

  it('would be caught with one that there is not', () => {
    const program = createProgram();
    expect(mistakeOf(program, 'run start my-model --watch')).toBe('--watch');
    expect(mistakeOf(program, 'run begin my-model')).toBe('there is no "begin" of "run"');
    expect(mistakeOf(program, 'run start my-model --wait')).toBeUndefined();
  });
});
