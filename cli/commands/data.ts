/** Datasets and triggers: what came in, and what it led to. */
import type { Command } from 'commander';
import type { Dataset, Trigger } from '../answers.ts';
import { openSession, segment, wholeNumber } from '../session.ts';

const registerDatasets = (program: Command): void => {
  const dataset = program.command('dataset').description('datasets and their versions');
  dataset
    .command('list')
    .description('all datasets with their newest version')
    .action(async (_options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ datasets: Dataset[] }>('/api/v1/datasets');
      if (output.json) return output.document(answer);
      output.table(answer.datasets.map((row) => ({ ...row, version: row.version.slice(0, 12) })), ['name', 'version', 'versions', 'rows', 'bytes', 'createdAt']);
    });
  dataset
    .command('get <name> [version]')
    .description('versions of a dataset, or one version with its tables and files')
    .action(async (name: string, version: string | undefined, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      if (version === undefined) {
        const answer = await api.get<{ versions: Dataset[] }>(`/api/v1/datasets/${segment(name)}`);
        if (output.json) return output.document(answer);
        return output.table(answer.versions.map((row) => ({ ...row, version: row.version.slice(0, 12) })), ['version', 'rows', 'bytes', 'createdAt', 'runId']);
      }
      const answer = await api.get<{ manifest: { tables: { name: string; format: string; rows: number; columns: unknown[]; files: unknown[] }[] } }>(`/api/v1/datasets/${segment(name)}/${segment(version)}`);
      if (output.json) return output.document(answer);
      output.table(answer.manifest.tables.map((table) => ({ ...table, columns: table.columns.length, files: table.files.length })), ['name', 'format', 'rows', 'columns', 'files']);
    });
};

const registerTriggers = (program: Command): void => {
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

export const registerDataCommands = (program: Command): void => {
  registerDatasets(program);
  registerTriggers(program);
};
