/** Where a model came from and what it led to, its card, and its repetition. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { usageFailure } from '../exit-codes.ts';
import { lineageLines, originLine, type Lineage } from '../lineage-tree.ts';
import type { StartedRun } from '../answers.ts';
import { openSession, segment } from '../session.ts';
import { showStarted } from './runs.ts';

const registerLineage = (program: Command): void => {
  program
    .command('lineage <of>')
    .description('what a thing was made of and what was made of it: model:<name>@<version or alias>, inference:<model>/<id>, dataset:<name>@<version>, run:<id>, …')
    .option('--upstream', 'only what it was made of')
    .option('--downstream', 'only what was made of it')
    .action(async (of: string, options: { upstream?: true; downstream?: true }, command: Command) => {
      const { api, output } = openSession(command);
      const direction = options.upstream === options.downstream ? 'both' : options.upstream ? 'upstream' : 'downstream';
      const lineage = await api.get<Lineage>(`/api/v1/lineage?of=${segment(of)}&direction=${direction}`);
      if (output.json) return output.document(lineage);
      output.say(originLine(lineage));
      const show = (title: string, lines: string[]): void => [title, ...(lines.length === 0 ? ['  nothing'] : lines)].forEach((line) => output.say(line));
      if (direction !== 'downstream') show('made of', lineageLines(lineage, 'upstream'));
      if (direction !== 'upstream') show('led to', lineageLines(lineage, 'downstream'));
      if (lineage.truncated) output.say('there is more than is shown: ask with the API and a higher limit');
    });
};

/** The two parts of `model@version`. */
const versionPath = (named: string): string => {
  const at = named.lastIndexOf('@');
  if (at < 1) throw usageFailure(`"${named}" has no version`, 'Give model@version, such as flights@3.');
  return `/api/v1/models/${segment(named.slice(0, at))}/versions/${segment(named.slice(at + 1))}`;
};

const registerReproduce = (program: Command): void => {
  program
    .command('reproduce <model@version>')
    .description('train a version again from its record and compare the bytes; registers and rolls out nothing')
    .option('--wait', 'watch it to its end: 0 when the bytes are the same, 1 with what differs')
    .option('--idempotency-key <key>', 'the same key is the same run')
    .action(async (named: string, { wait, idempotencyKey }: { wait?: boolean; idempotencyKey?: string }, command: Command) => {
      const session = openSession(command);
      const started = await session.api.post<StartedRun>(`${versionPath(named)}/reproduce`, {}, idempotencyKey);
      await showStarted(session, started, wait === true);
    });
};

const registerCard = (program: Command): void => {
  program
    .command('card <model@version>')
    .description('the model card of a version, written from recorded facts, as Markdown')
    .option('--out <file>', 'write it to a file')
    .action(async (named: string, { out }: { out?: string }, command: Command) => {
      const { api, output } = openSession(command);
      const { markdown } = await api.get<{ markdown: string }>(`${versionPath(named)}/card`);
      if (out !== undefined) writeFileSync(out, markdown);
      if (output.json) return output.document(out === undefined ? { markdown } : { out });
      if (out === undefined) markdown.split('\n').forEach((line) => output.say(line));
      else output.say(`wrote ${out}`);
    });
};

export const registerLineageCommands = (program: Command): void => {
  registerLineage(program);
  registerCard(program);
  registerReproduce(program);
};
