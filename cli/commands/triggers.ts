/** Triggers: what asked for runs, and what became of it. */
import type { Command } from 'commander';
import type { Trigger } from '../answers.ts';
import { openSession, segment, wholeNumber } from '../session.ts';

export const registerTriggerCommands = (program: Command): void => {
  program
    .command('trigger')
    .description('the ledger of triggers')
    .command('list')
    .description('what asked for a run, and what became of it')
    .option('--pipeline <name>', 'of one pipeline')
    .option('--limit <n>', 'how many', wholeNumber('--limit'), 50)
    .action(async ({ pipeline, limit }: { pipeline?: string; limit: number }, command: Command) => {
      const { api, output } = openSession(command);
      const filter = pipeline === undefined ? '' : `&pipeline=${segment(pipeline)}`;
      const answer = await api.get<{ triggers: Trigger[] }>(`/api/v1/triggers?limit=${limit}${filter}`);
      if (output.json) return output.document(answer);
      const rows = answer.triggers.map((row) => ({ ...row, led: row.runId ?? row.coalescedInto ?? row.rejection }));
      output.table(rows, ['at', 'pipeline', 'kind', 'reason', 'outcome', 'led']);
    });
};
