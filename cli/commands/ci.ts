/** `ci check`: what can be said of a pipeline and its data without a running Perennial, for pull requests. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { clean, createOutput } from '../output.ts';
import { readPipelineFile } from '../pipeline-file.ts';

const STYLES = { passed: 'green', failed: 'red', warned: 'yellow', skipped: 'dim' } as const;
const SHOWN_DETAILS = 3;

export const registerCiCommands = (program: Command): void => {
  program
    .command('ci')
    .description('checks for pull requests; no API is asked')
    .command('check')
    .description('is a pipeline valid, are its files readable, do its data checks hold, does its feature SQL work (exit code 1: no)')
    .requiredOption('-f, --file <file>', 'the pipeline, YAML or a module that exports `pipeline`')
    .option('--junit <file>', 'write the verdict as JUnit XML')
    .option('--markdown <file>', 'write a summary as Markdown')
    .action(async ({ file, junit, markdown }: { file: string; junit?: string; markdown?: string }, command: Command) => {
      const output = createOutput(command.optsWithGlobals<{ json?: boolean }>().json === true);
      const given = await readPipelineFile(file);
      const name = typeof given.pipeline['name'] === 'string' ? given.pipeline['name'] : 'pipeline';
      // DuckDB is loaded by this command alone.
      const [{ checkPipeline }, report] = await Promise.all([import('../../deploy/ci/check-pipeline.ts'), import('../../deploy/ci/report.ts')]);
      const cases = await checkPipeline(given);
      if (junit !== undefined) await writeFile(junit, report.junitXml(name, cases));
      if (markdown !== undefined) await writeFile(markdown, report.markdown(name, cases));
      const isRefused = cases.some(({ state }) => state === 'failed');
      if (isRefused) process.exitCode = EXIT.failed;
      if (output.json) return output.document({ pipeline: name, passed: !isRefused, cases });
      for (const one of cases) {
        output.say(`${output.paint(STYLES[one.state], one.state.padEnd(7))} ${one.suite.padEnd(8)} ${clean(one.name)}${one.message === '' ? '' : `: ${clean(one.message)}`}`);
        if (one.state === 'failed' || one.state === 'warned') one.details.slice(0, SHOWN_DETAILS).forEach((line) => output.say(`          ${clean(line)}`));
      }
      output.say(`${clean(name)}: ${report.summaryLine(cases)}`);
    });
};
