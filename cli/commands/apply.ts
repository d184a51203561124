/** `apply -f`: brings a pipeline from a file to the API. */
import type { Command } from 'commander';
import { CliFailure, usageFailure } from '../exit-codes.ts';
import { clean } from '../output.ts';
import { readPipelineFile, type PipelineFile } from '../pipeline-file.ts';
import { openSession, segment } from '../session.ts';

type Applied = { name: string; version: number; created: boolean; hash: string; warnings: string[]; schedules?: { name: string; change: string }[] };

/** The API's messages begin with the path of the mistake: with a line of the file they lead the reader there. */
const located = (failure: CliFailure, file: string, { lineOf }: PipelineFile): CliFailure => {
  const place = (text: string): string => {
    const path = /^([A-Za-z0-9_.[\]-]+): /.exec(text)?.[1];
    const line = path === undefined ? undefined : lineOf(path);
    return line === undefined ? text : `${file}:${line}: ${text}`;
  };
  const { exitCode, code, message, fix, lines } = failure;
  return new CliFailure(exitCode, { code, fix, message: lines.length === 0 ? place(message) : message, lines: lines.map(place) });
};

export const registerApply = (program: Command): void => {
  program
    .command('apply')
    .description('apply a pipeline; a changed one becomes a new version')
    .requiredOption('-f, --file <file>', 'pipeline.yaml, or a .ts or .mjs file that exports `pipeline`')
    .action(async ({ file }: { file: string }, command: Command) => {
      const { api, output } = openSession(command);
      const read = await readPipelineFile(file);
      const { name } = read.pipeline;
      if (typeof name !== 'string' || name === '') throw usageFailure(`${file} has no name`, 'Add name: a name for the pipeline.');
      let applied: Applied;
      try {
        applied = await api.put<Applied>(`/api/v1/pipelines/${segment(name)}`, read.pipeline);
      } catch (error) {
        throw error instanceof CliFailure ? located(error, file, read) : error;
      }
      if (output.json) return output.document(applied);
      output.say(`${applied.name} version ${applied.version}${applied.created ? '' : ' (unchanged)'}`);
      (applied.schedules ?? []).forEach(({ name: schedule, change }) => output.say(`schedule ${clean(schedule)}: ${change}`));
      applied.warnings.forEach((warning) => output.say(output.paint('yellow', `warning: ${clean(warning)}`)));
      output.say(output.paint('dim', `run it: perennial run start ${applied.name} --wait`));
    });
};
