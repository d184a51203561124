/** One command line from its words to its exit code. */
import { Command, CommanderError } from 'commander';
import { registerAlertCommands } from './commands/alerts.ts';
import { registerApply } from './commands/apply.ts';
import { registerCiCommands } from './commands/ci.ts';
import { registerCostCommand } from './commands/cost.ts';
import { registerDatasetCommands } from './commands/datasets.ts';
import { registerDeploymentCommands } from './commands/deployments.ts';
import { registerImportCommand } from './commands/import.ts';
import { registerInit } from './commands/init.ts';
import { registerKeyCommands } from './commands/keys.ts';
import { registerLineageCommands } from './commands/lineage.ts';
import { registerLocalCommands } from './commands/local.ts';
import { registerModelCommands } from './commands/models.ts';
import { registerMonitorCommands } from './commands/monitor.ts';
import { registerReplayDecision } from './commands/replay-decision.ts';
import { registerRunCommands } from './commands/runs.ts';
import { registerScheduleCommands } from './commands/schedules.ts';
import { registerTrainerCommands } from './commands/trainer.ts';
import { registerTriggerCommands } from './commands/triggers.ts';
import { CliFailure, EXIT } from './exit-codes.ts';
import { clean } from './output.ts';

const EXIT_HELP = `
Exit codes: 0 ok, 1 the run failed, 2 usage, 3 unreachable, 4 denied.
The key is PERENNIAL_API_KEY, or for a local API the one in <PERENNIAL_HOME>/admin-key.`;

/** Every command of the CLI with its options. */
export const createProgram = (): Command => {
  const program = new Command('perennial')
    .description('Durable workflows that carry a machine-learning model through its whole life')
    .option('--url <url>', 'address of the API (default: PERENNIAL_URL, or the local one)')
    .option('--json', 'print JSON')
    .addHelpText('after', EXIT_HELP)
    .showHelpAfterError('(perennial --help shows the commands)')
    .exitOverride();
  registerLocalCommands(program);
  registerInit(program);
  registerApply(program);
  registerRunCommands(program);
  registerReplayDecision(program);
  registerModelCommands(program);
  registerDeploymentCommands(program);
  registerDatasetCommands(program);
  registerTriggerCommands(program);
  registerCiCommands(program);
  registerLineageCommands(program);
  registerAlertCommands(program);
  registerMonitorCommands(program);
  registerCostCommand(program);
  registerScheduleCommands(program);
  registerImportCommand(program);
  registerKeyCommands(program);
  registerTrainerCommands(program);
  return program;
};

const report = (failure: CliFailure, json: boolean): void => {
  if (json) {
    const { code, message, fix, lines } = failure;
    process.stderr.write(`${clean(JSON.stringify({ code, message, fix, ...(lines.length === 0 ? {} : { lines }) }))}\n`);
    return;
  }
  process.stderr.write(`error ${clean(failure.code)}: ${clean(failure.message)}\n`);
  for (const line of failure.lines) process.stderr.write(`  ${clean(line)}\n`);
  process.stderr.write(`  fix: ${clean(failure.fix)}\n`);
};

/** Commands whose end is more than "it worked" say it by process.exitCode, because commander gives no value back. */
const takeExitCode = (): number => {
  const code = Number(process.exitCode ?? EXIT.ok);
  process.exitCode = undefined;
  return code;
};

/** Runs a command line (as in process.argv, so it begins with two words that are skipped). @returns the exit code */
export const runCommandLine = async (argv: string[]): Promise<number> => {
  const program = createProgram();
  try {
    await program.parseAsync(argv);
    return takeExitCode();
  } catch (error) {
    // Commander has printed its own message; help and version end well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CliFailure)) throw error;
    report(error, argv.includes('--json'));
    return error.exitCode;
  }
};
