/** What runs on this machine: `up` and `doctor`. */
import type { Command } from 'commander';
import { createOutput } from '../output.ts';

const jsonOf = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json === true;

export const registerLocalCommands = (program: Command): void => {
  program
    .command('up')
    .description('start everything on this machine; Ctrl-C stops it, the data stays')
    .option('--pools <names>', 'pools that get a worker, separated by commas (default: workflows,data,cpu,gpu)')
    .option('--gateways <n>', 'how many gateways (default: 2)')
    .action(async ({ pools, gateways }: { pools?: string; gateways?: string }) => {
      // Loaded here alone, because it brings everything that can be started.
      const { up } = await import('../../deploy/local/up.ts');
      process.exitCode = await up({ ...(pools === undefined ? {} : { pools: pools.split(',').filter(Boolean) }), ...(gateways === undefined ? {} : { gateways: Number(gateways) }) });
    });
  program
    .command('doctor')
    .description('check this machine, and say how to mend what is not right')
    .action(async (_options: unknown, command: Command) => {
      const { doctor, formatDiagnosis } = await import('../../deploy/local/doctor.ts');
      const diagnosis = await doctor();
      const output = createOutput(jsonOf(command));
      if (output.json) output.document({ checks: diagnosis.checks, ok: diagnosis.exitCode === 0 });
      for (const line of formatDiagnosis(diagnosis)) output.say(line);
      process.exitCode = diagnosis.exitCode;
    });
};
