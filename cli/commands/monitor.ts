/** Monitors of deployed models: what they saw, live or as a report. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { MonitorReport } from '../../contracts/monitor-report.ts';
import type { MonitorWindow } from '../answers.ts';
import { usageFailure } from '../exit-codes.ts';
import { monitorRow } from '../monitor-row.ts';
import { driftPage } from '../report/drift-page.ts';
import { methodName, significant } from '../report/numbers.ts';
import { openSession, segment, wholeNumber, type Session } from '../session.ts';
import { watchMonitor } from '../watch-monitor.ts';

const registerGet = (monitor: Command): void => {
  monitor
    .command('get <model>')
    .description('drift, quality, concept drift and inputs, window by window')
    .option('--limit <n>', 'how many windows', wholeNumber('--limit'), 20)
    .action(async (model: string, { limit }: { limit: number }, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ running: boolean | null; version: number | null; windows: MonitorWindow[] }>(`/api/v1/models/${segment(model)}/monitor?limit=${limit}`);
      if (output.json) return output.document(answer);
      output.say(`monitor of ${model}: ${answer.running === null ? 'not known' : answer.running ? 'running' : 'not running'}, version ${answer.version ?? '-'}`);
      output.table(answer.windows.map(monitorRow), ['window', 'version', 'from', 'rows', 'labelled', 'drift', 'quality', 'judged', 'estimate', 'concept', 'refused', 'unlike', 'decision']);
    });
};

const registerWatch = (monitor: Command): void => {
  monitor
    .command('watch <model>')
    .description('follow windows, drift, label coverage and decisions in the terminal until Ctrl-C')
    .option('--every <seconds>', 'how often to look', wholeNumber('--every'), 2)
    .option('--once', 'show it once and end')
    .action(async (model: string, { every, once }: { every: number; once?: boolean }, command: Command) => {
      await watchMonitor(openSession(command), { model, everyMs: every * 1_000, once: once === true });
    });
};

const reportPath = (model: string, { windows, window, modelVersion }: ReportOptions): string => {
  const query = new URLSearchParams({ windows: String(windows), ...(window === undefined ? {} : { window }), ...(modelVersion === undefined ? {} : { version: String(modelVersion) }) });
  return `/api/v1/models/${segment(model)}/monitor/report?${query.toString()}`;
};

type ReportOptions = { html?: string; windows: number; window?: string; modelVersion?: number };

const writePage = async (file: string, report: MonitorReport): Promise<void> => {
  try {
    await writeFile(file, driftPage(report));
  } catch (error) {
    throw usageFailure(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, 'Give a path in a folder that is there and can be written.');
  }
};

const sayReport = ({ output }: Session, report: MonitorReport): void => {
  const { window, columns } = report;
  if (window === null) return output.say(`the monitor of ${report.model} has closed no window yet`);
  const verdict = window.drifted ? output.paint('red', 'DRIFT') : output.paint('green', 'no drift');
  output.say(`${report.model} version ${window.version}, window ${window.window}: ${verdict}, score ${significant(window.driftScore)} (limit ${significant(report.shareThreshold)}), ${report.metric} ${significant(window.quality)} (judged ${significant(window.judgedQuality)})`);
  output.table(columns.map((column) => ({ column: column.column, method: methodName(column.method), score: significant(column.score), threshold: significant(column.threshold), drifted: column.drifted ? 'yes' : '' })), ['column', 'method', 'score', 'threshold', 'drifted']);
};

const registerReport = (program: Command): void => {
  program
    .command('drift')
    .description('drift of deployed models')
    .command('report <model>')
    .description('drifted columns with histograms, quality over time and decisions: as one HTML file, as JSON with --json, or as a table')
    .option('--html <file>', 'write one self-contained HTML file')
    .option('--windows <n>', 'how many windows of the past', wholeNumber('--windows'), 60)
    .option('--window <number>', 'the window whose columns are shown (default: the newest)')
    .option('--model-version <n>', 'of this version', wholeNumber('--model-version'))
    .action(async (model: string, options: ReportOptions, command: Command) => {
      const session = openSession(command);
      const { api, output } = session;
      const report = await api.get<MonitorReport>(reportPath(model, options));
      if (options.html !== undefined) await writePage(options.html, report);
      if (output.json) return output.document(report);
      sayReport(session, report);
      if (options.html !== undefined) output.say(`wrote ${options.html}`);
    });
};

export const registerMonitorCommands = (program: Command): void => {
  const monitor = program.command('monitor').description('monitoring of deployed models');
  registerGet(monitor);
  registerWatch(monitor);
  registerReport(program);
};
