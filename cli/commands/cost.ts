/** What a model or a pipeline used and cost. */
import type { Command } from 'commander';
import { CliFailure } from '../exit-codes.ts';
import type { ApiClient } from '../api-client.ts';
import type { Output } from '../output.ts';
import { money, USE_COLUMNS, useRow, type Use } from '../resources.ts';
import { openSession, segment } from '../session.ts';

type Costs = {
  of: string;
  currency: string | null;
  from: string;
  to: string;
  by: string;
  total: Use;
  training: Use;
  serving: Use;
  steps: (Use & { step: string; attempts: number })[];
  runs: (Use & { runId: string; at: string })[];
  versions: (Use & { version: number })[];
  periods: (Use & { from: string })[];
};

const show = (output: Output, costs: Costs): void => {
  const { currency } = costs;
  const row = (what: Record<string, unknown>, use: Use): Record<string, unknown> => ({ ...what, ...useRow(use, currency) });
  output.say(`${costs.of}, ${costs.from.slice(0, 10)} to ${costs.to.slice(0, 10)}${costs.total.cost === null ? '' : `: ${money(costs.total.cost.total, currency)}`}`);
  if (currency === null) output.say(output.paint('yellow', 'no prices are declared: set PERENNIAL_PRICES for the API and the workers'));
  output.table([row({ what: 'training' }, costs.training), row({ what: 'serving' }, costs.serving), row({ what: 'total' }, costs.total)], ['what', ...USE_COLUMNS]);
  const part = (rows: Record<string, unknown>[], columns: string[]): void => {
    if (rows.length === 0) return;
    output.say('');
    output.table(rows, [...columns, ...USE_COLUMNS]);
  };
  part(costs.steps.map((step) => row({ step: step.step, attempts: step.attempts }, step)), ['step', 'attempts']);
  part(costs.runs.slice(0, 10).map((run) => row({ run: run.runId }, run)), ['run']);
  part(costs.versions.map((version) => row({ 'served version': version.version }, version)), ['served version']);
  part(costs.periods.map((period) => row({ [costs.by]: period.from.slice(0, 10) }, period)), [costs.by]);
};

/** A model of this name, or else a pipeline: mostly both have it, and the model's costs hold those of its runs. */
const readCosts = async (api: ApiClient, name: string, query: string): Promise<Costs> => {
  try {
    return await api.get<Costs>(`/api/v1/models/${segment(name)}/costs?${query}`);
  } catch (error) {
    if (!(error instanceof CliFailure) || error.code !== 'ModelNotFound') throw error;
    return api.get<Costs>(`/api/v1/pipelines/${segment(name)}/costs?${query}`);
  }
};

export const registerCostCommand = (program: Command): void => {
  program
    .command('cost <model-or-pipeline>')
    .description('CPU, memory, GPU and storage that a model or a pipeline used, and what that cost')
    .option('--from <date>', 'from this day on (default: 30 days ago)')
    .option('--to <date>', 'until this day')
    .option('--by <period>', 'day, week or month', 'day')
    .action(async (name: string, { from, to, by }: { from?: string; to?: string; by: string }, command: Command) => {
      const { api, output } = openSession(command);
      const query = new URLSearchParams({ by, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
      const costs = await readCosts(api, name, query.toString());
      if (output.json) return output.document(costs);
      show(output, costs);
    });
};
