/** `dataset`: versions of data, what is in them, what changed, and their files. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Document, type YAMLMap, type YAMLSeq } from 'yaml';
import type { DataCheck } from '../../contracts/data-check.ts';
import type { DatasetDiff, TableChange } from '../../contracts/dataset-diff.ts';
import type { ColumnProfile } from '../../contracts/dataset-profile.ts';
import type { Dataset } from '../answers.ts';
import { exportToDvc } from '../dataset/dvc.ts';
import { downloadTree, readTree } from '../dataset/tree-download.ts';
import { usageFailure } from '../exit-codes.ts';
import { clean, type Output } from '../output.ts';
import { significant } from '../report/numbers.ts';
import { openSession, segment, type Session } from '../session.ts';

type Manifest = { tables: { name: string; format: string; rows: number; columns: { name: string; type: string }[]; files: unknown[]; profile: ColumnProfile[] }[] };

const short = (version: string): string => version.slice(0, 12);

const versionsOf = ({ api }: Session, name: string): Promise<{ versions: Dataset[] }> => api.get(`/api/v1/datasets/${segment(name)}`);

/** `latest` is the newest version, `previous` the one before. */
const resolveVersion = async (session: Session, name: string, version: string): Promise<string> => {
  if (version !== 'latest' && version !== 'previous') return version;
  const found = (await versionsOf(session, name)).versions[version === 'latest' ? 0 : 1];
  if (found === undefined) throw usageFailure(`the dataset "${name}" has no version before the newest one`, 'Run its pipeline on changed data first.');
  return found.version;
};

const profileRow = ({ column, kind, nulls, distinct, numbers, top }: ColumnProfile, type: string) => ({
  column,
  type,
  nulls,
  distinct,
  minimum: numbers === null ? null : kind === 'time' ? new Date(numbers.minimum).toISOString() : significant(numbers.minimum),
  median: numbers === null ? null : kind === 'time' ? new Date(numbers.quantiles.find(({ share }) => share === 0.5)?.value ?? 0).toISOString() : significant(numbers.quantiles.find(({ share }) => share === 0.5)?.value ?? null),
  maximum: numbers === null ? null : kind === 'time' ? new Date(numbers.maximum).toISOString() : significant(numbers.maximum),
  most: top[0] === undefined ? null : `${top[0].value.slice(0, 40)} (${top[0].count})`,
});

const showVersion = (output: Output, { tables }: Manifest): void => {
  for (const { name, format, rows, columns, files, profile } of tables) {
    output.say(`\n${clean(name)}: ${rows} rows in ${files.length} ${format} files`);
    output.table(profile.map((column, index) => profileRow(column, columns[index]?.type ?? '')), ['column', 'type', 'nulls', 'distinct', 'minimum', 'median', 'maximum', 'most']);
  }
};

const showTableChange = (output: Output, { table, state, rows, schema, files, columns }: TableChange): void => {
  output.say(`\n${clean(table)}: ${state}, ${rows.from} to ${rows.to} rows; files: ${files.added.length} added, ${files.removed.length} removed, ${files.changed.length} changed, ${files.same} the same`);
  schema.added.forEach(({ column, type }) => output.say(output.paint('green', `  + ${clean(column)} ${clean(type)}`)));
  schema.removed.forEach(({ column, type }) => output.say(output.paint('red', `  - ${clean(column)} ${clean(type)}`)));
  schema.retyped.forEach(({ column, from, to }) => output.say(output.paint('yellow', `  ~ ${clean(column)} ${clean(from)} to ${clean(to)}`)));
  const changed = columns.filter(({ reasons }) => reasons.length > 0);
  changed.forEach(({ column, reasons }) => output.say(output.paint('yellow', `  ~ ${clean(column)}: ${reasons.map(clean).join('; ')}`)));
  if (state === 'changed' && changed.length === 0) output.say('  no column is distributed otherwise');
};

const showDiff = (output: Output, diff: DatasetDiff): void => {
  output.say(`${clean(diff.dataset)}: ${short(diff.from)} to ${short(diff.to)}${diff.same ? ', the same version' : ''}`);
  diff.tables.forEach((table) => showTableChange(output, table));
};

const registerReads = (dataset: Command): void => {
  dataset
    .command('list')
    .description('all datasets with their newest version')
    .action(async (_options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ datasets: Dataset[] }>('/api/v1/datasets');
      if (output.json) return output.document(answer);
      output.table(answer.datasets.map((row) => ({ ...row, version: short(row.version) })), ['name', 'version', 'versions', 'rows', 'bytes', 'createdAt']);
    });
  dataset
    .command('get <name> [version]')
    .description('versions of a dataset, or one version (or `latest`) with the profile of its columns')
    .action(async (name: string, version: string | undefined, _options: unknown, command: Command) => {
      const session = openSession(command);
      const { api, output } = session;
      if (version === undefined) {
        const answer = await versionsOf(session, name);
        if (output.json) return output.document(answer);
        return output.table(answer.versions.map((row) => ({ ...row, version: short(row.version) })), ['version', 'rows', 'bytes', 'createdAt', 'runId']);
      }
      const answer = await api.get<{ manifest: Manifest }>(`/api/v1/datasets/${segment(name)}/${segment(await resolveVersion(session, name, version))}`);
      if (output.json) return output.document(answer);
      showVersion(output, answer.manifest);
    });
  dataset
    .command('diff <name>')
    .description('what changed between two versions: files, rows, schema and distributions')
    .option('--from <version>', 'the earlier version', 'previous')
    .option('--to <version>', 'the later one', 'latest')
    .action(async (name: string, { from, to }: { from: string; to: string }, command: Command) => {
      const session = openSession(command);
      const [before, after] = [await resolveVersion(session, name, from), await resolveVersion(session, name, to)];
      const diff = await session.api.get<DatasetDiff>(`/api/v1/datasets/${segment(name)}/${segment(after)}/diff?from=${segment(before)}`);
      if (session.output.json) return session.output.document(diff);
      showDiff(session.output, diff);
    });
};

/** One check a line, as a person writes them in a pipeline; what is the default is left out. */
const checksText = (checks: DataCheck[]): string => {
  const shown = checks.map(({ severity, ...check }) => (severity === 'error' ? check : { ...check, severity }));
  const document = new Document({ checks: shown });
  for (const item of (document.get('checks') as YAMLSeq).items) (item as YAMLMap).flow = true;
  return document.toString({ lineWidth: 0 }).trimEnd();
};

const registerInferChecks = (dataset: Command): void => {
  dataset
    .command('infer-checks <name> [version]')
    .description('a first draft of `checks:` for a pipeline, which a version (default: `latest`) passes: keep what means something')
    .action(async (name: string, version: string | undefined, _options: unknown, command: Command) => {
      const session = openSession(command);
      const resolved = await resolveVersion(session, name, version ?? 'latest');
      const answer = await session.api.get<{ checks: DataCheck[] }>(`/api/v1/datasets/${segment(name)}/${segment(resolved)}/inferred-checks`);
      if (session.output.json) return session.output.document(answer);
      checksText(answer.checks).split('\n').forEach((line) => session.output.say(clean(line)));
    });
};

const registerFiles = (dataset: Command): void => {
  dataset
    .command('pull <name> [version]')
    .description('the files of a version (default: `latest`) in a folder, one folder per table; every file verified')
    .option('--to <folder>', 'where to (default: the name of the dataset)')
    .action(async (name: string, version: string | undefined, { to }: { to?: string }, command: Command) => {
      const session = openSession(command);
      const tree = await readTree(session, { name, version: await resolveVersion(session, name, version ?? 'latest') });
      const folder = resolve(to ?? name);
      const done = await downloadTree(session, tree, { folder, placeOf: ({ path }) => path });
      if (session.output.json) return session.output.document({ dataset: tree.dataset, version: tree.version, folder, ...done });
      session.output.say(`${clean(tree.dataset)} ${short(tree.version)} is in ${folder}: ${done.fetched} files fetched, ${done.kept} were there`);
    });
  dataset
    .command('export <name> [version]')
    .description('a version (default: `latest`) as a DVC remote in a folder, and the .dvc file by which `dvc pull` brings it')
    .requiredOption('--remote <folder>', 'the DVC remote: its files go to <folder>/files/md5')
    .option('--file <path>', 'the .dvc file (default: <name>.dvc)')
    .action(async (name: string, version: string | undefined, { remote, file = `${name}.dvc` }: { remote: string; file?: string }, command: Command) => {
      const session = openSession(command);
      if (!file.endsWith('.dvc')) throw usageFailure(`--file is "${file}"`, 'Give a name that ends with .dvc: DVC reads no other.');
      const tree = await readTree(session, { name, version: await resolveVersion(session, name, version ?? 'latest') });
      const done = await exportToDvc(session, tree, { remote: resolve(remote), file: resolve(file), path: name });
      if (session.output.json) return session.output.document({ dataset: tree.dataset, version: tree.version, remote: resolve(remote), file: resolve(file), ...done });
      session.output.say(`${clean(tree.dataset)} ${short(tree.version)} is in the remote ${resolve(remote)} as ${done.md5}: ${done.fetched} files written, ${done.kept} were there`);
      session.output.say(`In a DVC repository with this remote, beside ${file}: dvc pull ${file}`);
    });
};

export const registerDatasetCommands = (program: Command): void => {
  const dataset = program.command('dataset').description('datasets and their versions');
  registerReads(dataset);
  registerInferChecks(dataset);
  registerFiles(dataset);
};
