/** `import mlflow`: everything that an MLflow server holds, copied to this one. Started again, it goes on where it was. */
import type { Command } from 'commander';
import { copyExperiments } from '../import/copy-experiments.ts';
import { copyRegistry } from '../import/copy-registry.ts';
import { createTrackingClient } from '../import/tracking-client.ts';
import { usageFailure } from '../exit-codes.ts';
import { openSession } from '../session.ts';

type Options = { experiment: string[]; registry: boolean };

/** The source's credentials come from the environment, as MLflow's own client takes them: never from the command line, which others can read. */
const sourceOf = (uri: string, { token, username, password }: { token: string | undefined; username: string | undefined; password: string | undefined }) => {
  if (!/^https?:\/\//.test(uri) || !URL.canParse(uri)) throw usageFailure(`"${uri}" is no address of a tracking server`, 'Give one such as http://mlflow.example.com:5000');
  if (token !== undefined) return createTrackingClient(uri, `Bearer ${token}`);
  if (username !== undefined) return createTrackingClient(uri, `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`);
  return createTrackingClient(uri, undefined);
};

export const registerImportCommand = (program: Command): void => {
  program
    .command('import')
    .description('take over what another server holds')
    .command('mlflow <uri>')
    .description('experiments, runs with the history of their metrics, artifacts and the registry of an MLflow server; started again, it goes on where it was')
    .option('--experiment <name>', 'only this experiment (may be given several times); then no registry unless --registry', (name: string, names: string[]) => [...names, name], [] as string[])
    .option('--registry', 'the registry too, also with --experiment')
    .action(async (uri: string, { experiment, registry }: Options, command: Command) => {
      const { output, config, url, apiKey } = openSession(command);
      const servers = { from: sourceOf(uri, config.mlflowSource), to: createTrackingClient(url, apiKey === undefined ? undefined : `Bearer ${apiKey}`) };
      const tracking = await copyExperiments(servers, experiment, (line) => output.say(line));
      const copied = experiment.length === 0 || registry ? await copyRegistry(servers) : undefined;
      if (output.json) return output.document({ ...tracking, ...(copied === undefined ? {} : { registry: copied }) });
      output.say(`${tracking.experiments} experiments: ${tracking.runs} runs copied, ${tracking.runsPresent} were there, ${tracking.loggedModels} logged models`);
      if (tracking.filesElsewhere > 0) output.say(`the files of ${tracking.filesElsewhere} runs lie in a store of their own and stay there`);
      if (copied === undefined) return;
      output.say(`registry: ${copied.models} models, ${copied.versions} versions and ${copied.aliases} aliases made`);
      for (const alias of copied.aliasesKept) output.say(output.paint('yellow', `${alias} stays as it is here`));
    });
};
