/** Where a model came from and what it led to, and its card. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { usageFailure } from '../exit-codes.ts';
import { lineageLines, originLine, type Lineage } from '../lineage-tree.ts';
import { openSession, segment } from '../session.ts';

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

const registerCard = (program: Command): void => {
  program
    .command('card <model@version>')
    .description('the model card of a version, written from recorded facts, as Markdown')
    .option('--out <file>', 'write it to a file')
    .action(async (named: string, { out }: { out?: string }, command: Command) => {
      const { api, output } = openSession(command);
      const at = named.lastIndexOf('@');
      if (at < 1) throw usageFailure(`"${named}" has no version`, 'Give model@version, such as flights@3 or flights@champion.');
      const { markdown } = await api.get<{ markdown: string }>(`/api/v1/models/${segment(named.slice(0, at))}/versions/${segment(named.slice(at + 1))}/card`);
      if (out !== undefined) writeFileSync(out, markdown);
      if (output.json) return output.document(out === undefined ? { markdown } : { out });
      if (out === undefined) markdown.split('\n').forEach((line) => output.say(line));
      else output.say(`wrote ${out}`);
    });
};

export const registerLineageCommands = (program: Command): void => {
  registerLineage(program);
  registerCard(program);
};
