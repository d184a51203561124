/** `replay-decision`: past decisions of a pipeline, judged again under other gates. */
import type { Command } from 'commander';
import { usageFailure } from '../exit-codes.ts';
import { clean, type Output } from '../output.ts';
import { readPipelineFile } from '../pipeline-file.ts';
import { openSession, segment, wholeNumber } from '../session.ts';

type Gate = { gate: string; passed: boolean; reason: string };
type Judged = { passed: boolean; gates: Gate[] };
type Replay = { pipeline: string; changed: number; unreadable: number; decisions: { runId: string; at: string; version: number | null; then: Judged; now: Judged; changed: boolean }[] };

const said = ({ passed }: Judged): string => (passed ? 'passed' : 'refused');

const show = (output: Output, { pipeline, changed, unreadable, decisions }: Replay): void => {
  output.say(`${pipeline}: ${changed} of ${decisions.length} decisions would be others`);
  if (unreadable > 0) output.say(output.paint('yellow', `${unreadable} decisions are left out: their measurements cannot be read`));
  output.table(
    decisions.map(({ runId, at, version, then, now, changed: isOther }) => ({ run: runId, at: at.slice(0, 19), version, then: said(then), now: isOther ? output.paint('yellow', said(now)) : said(now) })),
    ['run', 'at', 'version', 'then', 'now'],
  );
  for (const { runId, now } of decisions.filter((decision) => decision.changed)) {
    output.say(`\n${clean(runId)}`);
    now.gates.forEach(({ gate, passed, reason }) => output.say(`  ${passed ? 'yes' : output.paint('red', 'no ')}  ${clean(gate)}: ${clean(reason)}`));
  }
};

const gatesOf = async (file: string): Promise<unknown> => {
  const { pipeline } = await readPipelineFile(file);
  if (pipeline['gates'] === undefined) throw usageFailure(`${file} has no gates`, 'Write the gates to try under gates:, as in a pipeline.');
  return pipeline['gates'];
};

export const registerReplayDecision = (program: Command): void => {
  program
    .command('replay-decision <pipeline>')
    .description('what the gates would have said of past models, by the measurements recorded then; changes nothing')
    .option('-f, --file <file>', 'a pipeline file whose gates are tried (default: those of the current version)')
    .option('--limit <n>', 'how many decisions, the newest first', wholeNumber('--limit'))
    .action(async (pipeline: string, { file, limit }: { file?: string; limit?: number }, command: Command) => {
      const { api, output } = openSession(command);
      const gates = file === undefined ? undefined : await gatesOf(file);
      const replay = await api.post<Replay>(`/api/v1/pipelines/${segment(pipeline)}/replay-decisions`, { gates, limit });
      if (output.json) return output.document(replay);
      show(output, replay);
    });
};
