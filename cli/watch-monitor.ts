/** `perennial monitor watch`: the report of a monitor, redrawn in a terminal; elsewhere a line for each new window and decision. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MonitorReport, ReportColumn, ReportDecision, ReportWindow } from '../contracts/monitor-report.ts';
import { CliFailure, EXIT } from './exit-codes.ts';
import { clean, type Output } from './output.ts';
import { driftScale, isPValue, methodName, moment, percent, significant } from './report/numbers.ts';
import { segment, type Session } from './session.ts';

const BAR = 24;
const WINDOWS_SHOWN = 12;
const COLUMNS_SHOWN = 10;
const DECISIONS_SHOWN = 8;

/** A bar with the threshold as a mark in it. Scores beyond twice the threshold fill it. */
export const scoreBar = (score: number | null, threshold: number | null): string => {
  if (score === null || threshold === null || threshold <= 0) return ' '.repeat(BAR);
  const cells = Math.min(BAR, Math.round((score / (2 * threshold)) * BAR));
  const bar = [...'█'.repeat(cells).padEnd(BAR, '·')];
  bar[BAR / 2] = cells > BAR / 2 ? '┃' : '│';
  return bar.join('');
};

const coverage = ({ labelled, rows }: ReportWindow): string => (rows === 0 ? '-' : percent(labelled / rows));

const windowLine = (output: Output, window: ReportWindow): string => {
  const drift = `drift ${significant(window.driftScore)}`.padEnd(12);
  const quality = window.quality !== null ? significant(window.quality) : window.estimatedQuality !== null ? `~${significant(window.estimatedQuality)}` : '-';
  const parts = [`v${window.version}`.padEnd(4), `window ${window.window}`.padEnd(11), moment(window.to), `${window.rows} rows`, window.drifted ? output.paint('red', drift) : drift, `labels ${coverage(window)}`.padEnd(13)];
  const shown = `quality ${quality}`;
  return [...parts, window.qualityDropped ? output.paint('red', shown) : shown].join('  ');
};

const columnLine = (output: Output, column: ReportColumn, width: number): string => {
  const bar = scoreBar(driftScale(column), column.threshold);
  return `  ${clean(column.column).slice(0, width).padEnd(width)}  ${column.drifted ? output.paint('red', bar) : bar}  ${methodName(clean(column.method))} ${isPValue(column.method) ? 'p ' : ''}${significant(column.score)} (${significant(column.threshold)})`;
};

const decisionLine = (output: Output, decision: ReportDecision): string => {
  const outcome = decision.outcome === null ? '' : `: ${clean(decision.outcome)}`;
  const text = `${moment(decision.at)}  ${decision.kind.padEnd(9)}  ${clean(decision.title)}${outcome}`;
  return decision.good === null ? text : output.paint(decision.good ? 'green' : 'red', text);
};

/** The whole picture, line by line. */
export const screenOf = (output: Output, report: MonitorReport): string[] => {
  const { window, columns } = report;
  if (window === null) return [`${clean(report.model)}: the monitor has closed no window yet`];
  const verdict = window.drifted ? output.paint('red', 'DRIFT') : output.paint('green', 'no drift');
  const width = Math.min(28, Math.max(8, ...columns.slice(0, COLUMNS_SHOWN).map(({ column }) => column.length)));
  const more = columns.length > COLUMNS_SHOWN ? [output.paint('dim', `  and ${columns.length - COLUMNS_SHOWN} more`)] : [];
  return [
    `${clean(report.model)} version ${window.version}  ${verdict}  score ${significant(window.driftScore)} of ${significant(report.shareThreshold)}  ${clean(report.metric)} ${significant(window.quality)} (judged ${significant(window.judgedQuality)})  ${output.paint('dim', moment(report.generatedAt))}`,
    '',
    output.paint('dim', `columns of window ${window.window}, the mark is the threshold`),
    ...columns.slice(0, COLUMNS_SHOWN).map((column) => columnLine(output, column, width)),
    ...more,
    '',
    output.paint('dim', 'windows, newest first'),
    ...report.windows.slice(-WINDOWS_SHOWN).reverse().map((shown) => `  ${windowLine(output, shown)}`),
    '',
    output.paint('dim', 'decisions, newest first'),
    ...(report.decisions.length === 0 ? ['  none yet'] : report.decisions.slice(-DECISIONS_SHOWN).reverse().map((decision) => `  ${decisionLine(output, decision)}`)),
  ];
};

/** Lines that were not said yet: a window again when it changed (labels came), a decision when its outcome did. */
const newLines = (output: Output, report: MonitorReport, said: Set<string>): string[] =>
  [...report.windows.map((window) => windowLine(output, window)), ...report.decisions.map((decision) => decisionLine(output, decision))].filter((line) => !said.has(line) && said.add(line));

const CLEAR = '\u001b[2J';
/** A line that wrapped would move all below it: what does not fit is cut off by the terminal. */
const [WRAP_OFF, WRAP_ON] = ['\u001b[?7l', '\u001b[?7h'];

/** Cursor to the top, the picture over the last one, and the rest of the screen cleared: no flicker. */
const redraw = (lines: readonly string[]): void => {
  const shown = lines.slice(0, Math.max(1, process.stdout.rows - 1));
  process.stdout.write(`\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
};

/** Gives the screen over to the pictures; Ctrl-C is the way out, and leaves the terminal as it was. */
const takeScreen = (): void => {
  process.stdout.write(`${WRAP_OFF}${CLEAR}`);
  process.once('exit', () => process.stdout.write(WRAP_ON));
  process.once('SIGINT', () => process.exit(EXIT.ok));
};

const PATIENCE_MS = 60_000;

/** An API that is away for a moment does not end the watching. */
const createReader = ({ api }: Session, path: string): (() => Promise<MonitorReport | undefined>) => {
  let goneAt: number | undefined;
  return async () => {
    try {
      const report = await api.get<MonitorReport>(path);
      goneAt = undefined;
      return report;
    } catch (error) {
      goneAt ??= Date.now();
      if (!(error instanceof CliFailure) || error.exitCode !== EXIT.unreachable || Date.now() - goneAt > PATIENCE_MS) throw error;
      return undefined;
    }
  };
};

export const watchMonitor = async (session: Session, { model, everyMs, once }: { model: string; everyMs: number; once: boolean }): Promise<void> => {
  const { output } = session;
  const read = createReader(session, `/api/v1/models/${segment(model)}/monitor/report?windows=60`);
  const isScreen = !output.json && !once && process.stdout.isTTY === true;
  const said = new Set<string>();
  if (isScreen) takeScreen();
  for (;;) {
    const report = await read();
    if (report !== undefined) {
      if (output.json) output.document(report);
      else if (isScreen) redraw(screenOf(output, report));
      else if (once) screenOf(output, report).forEach((line) => output.say(line));
      else newLines(output, report, said).forEach((line) => output.say(line));
    }
    if (once) return;
    await delay(everyMs);
  }
};
