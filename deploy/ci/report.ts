/** The verdict of `perennial ci check` for machines (JUnit XML) and for a pull request (Markdown). */

/** `warned` is a failed check of severity `warn`: told, and no reason to refuse. */
export type CiCase = { suite: 'schema' | 'data' | 'quality' | 'features'; name: string; state: 'passed' | 'failed' | 'warned' | 'skipped'; message: string; details: string[] };

/** XML 1.0 has no way to write most control characters. */
const xml = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');

const body = ({ state, message, details }: CiCase): string => {
  if (state === 'failed') return `<failure message="${xml(message)}">${xml(details.join('\n'))}</failure>`;
  if (state === 'skipped') return `<skipped message="${xml(message)}"/>`;
  const text = [message, ...details].filter((line) => line !== '').join('\n');
  return text === '' ? '' : `<system-out>${xml(state === 'warned' ? `warning: ${text}` : text)}</system-out>`;
};

const count = (cases: readonly CiCase[], state: CiCase['state']): number => cases.filter((one) => one.state === state).length;

export const junitXml = (pipeline: string, cases: readonly CiCase[]): string => {
  const suites = [...new Set(cases.map(({ suite }) => suite))].map((suite) => {
    const own = cases.filter((one) => one.suite === suite);
    const lines = own.map((one) => `    <testcase classname="${xml(`${pipeline}.${suite}`)}" name="${xml(one.name)}">${body(one)}</testcase>`);
    return `  <testsuite name="${suite}" tests="${own.length}" failures="${count(own, 'failed')}" skipped="${count(own, 'skipped')}">\n${lines.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(pipeline)}" tests="${cases.length}" failures="${count(cases, 'failed')}" skipped="${count(cases, 'skipped')}">\n${suites.join('\n')}\n</testsuites>\n`;
};

/** A cell of a table: nothing in it can end it, or be taken for markup. */
const cell = (text: string): string => text.replace(/[\\`*_{}[\]<>|#!]/g, '\\$&').replace(/\s+/g, ' ').slice(0, 300);

const SHOWN_DETAILS = 3;

export const summaryLine = (cases: readonly CiCase[]): string => `${count(cases, 'passed')} passed, ${count(cases, 'failed')} failed, ${count(cases, 'warned')} warned, ${count(cases, 'skipped')} not run here`;

export const markdown = (pipeline: string, cases: readonly CiCase[]): string => {
  const verdict = count(cases, 'failed') === 0 ? 'passed' : 'failed';
  const notable = cases.filter(({ state }) => state !== 'passed');
  const rows = notable.map(({ state, suite, name, message, details }) => `| ${state} | ${suite} | ${cell(name)} | ${[cell(message), ...details.slice(0, SHOWN_DETAILS).map(cell)].join('<br>')} |`);
  const table = rows.length === 0 ? [] : ['', '| | part | what | why |', '|---|---|---|---|', ...rows];
  return [`### ${cell(pipeline)}: ${verdict}`, '', `${summaryLine(cases)}.`, ...table, ''].join('\n');
};
