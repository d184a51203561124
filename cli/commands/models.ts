/** Registered models: list, show, promote, roll back. */
import type { Command } from 'commander';
import { openSession, segment, wholeNumber } from '../session.ts';

type Metrics = Record<string, number | null>;
type Model = { name: string; latestVersion: number; champion: number | null; createdAt: string };
type Version = { version: number; aliases: string[]; runId: string; metrics: Metrics; createdAt: string };
type VersionDetails = Version & { gates: { gate: string; passed: boolean; reason: string }[]; lineage: Record<string, unknown> };

const metricsText = (metrics: Metrics): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${value === null ? '-' : value.toFixed(4)}`)
    .join(', ');

const registerReads = (model: Command): void => {
  model
    .command('list')
    .description('all registered models')
    .action(async (_options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ models: Model[] }>('/api/v1/models');
      if (output.json) return output.document(answer);
      output.table(answer.models.map((row) => ({ ...row })), ['name', 'latestVersion', 'champion', 'createdAt']);
    });
  model
    .command('get <model> [version]')
    .description('versions and aliases of a model, or one version with its gates and lineage')
    .action(async (name: string, version: string | undefined, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      if (version === undefined) {
        const answer = await api.get<{ versions: Version[] }>(`/api/v1/models/${segment(name)}`);
        if (output.json) return output.document(answer);
        const rows = answer.versions.map((row) => ({ ...row, aliases: row.aliases.join(', '), metrics: metricsText(row.metrics) }));
        return output.table(rows, ['version', 'aliases', 'metrics', 'createdAt', 'runId']);
      }
      const answer = await api.get<VersionDetails>(`/api/v1/models/${segment(name)}/versions/${segment(version)}`);
      if (output.json) return output.document(answer);
      output.say(`${name} version ${answer.version}${answer.aliases.length === 0 ? '' : ` (${answer.aliases.join(', ')})`}: ${metricsText(answer.metrics)}`);
      output.table(answer.gates.map((gate) => ({ ...gate, passed: gate.passed ? 'yes' : 'no' })), ['gate', 'passed', 'reason']);
      output.table(Object.entries(answer.lineage).map(([what, value]) => ({ lineage: what, value })), ['lineage', 'value']);
    });
};

/** A rollout of one step: all traffic at once, without analysis. */
const AT_ONCE = [{ weight: 100, seconds: 0, minimumRequests: 0 }];

const registerChanges = (model: Command): void => {
  model
    .command('promote <model> [version]')
    .description('promote the running canary now; with a version and no rollout, give it all traffic at once')
    .option('--reason <text>', 'why', 'requested by a person')
    .action(async (name: string, version: string | undefined, { reason }: { reason: string }, command: Command) => {
      const { api, output } = openSession(command);
      const path = `/api/v1/models/${segment(name)}`;
      const answer =
        version === undefined
          ? await api.post(`${path}/rollout/promote`, { reason })
          : await api.post(`${path}/rollouts`, { version: wholeNumber('version')(version), steps: AT_ONCE });
      if (output.json) return output.document(answer);
      output.say(`promoting ${version === undefined ? 'the canary' : `version ${version}`} of ${name}; see: perennial deployment status ${name} --watch`);
    });
  model
    .command('rollback <model>')
    .description('back to the version that was served before, or to a given one; aborts a running rollout')
    .option('--to <version>', 'to this version', wholeNumber('--to'))
    .option('--reason <text>', 'why', 'requested by a person')
    .action(async (name: string, { to, reason }: { to?: number; reason: string }, command: Command) => {
      const { api, output } = openSession(command);
      const body = { reason, ...(to === undefined ? {} : { version: to }) };
      const answer = await api.post<{ how: string; generation: number; split: { stable: number | null } }>(`/api/v1/models/${segment(name)}/rollback`, body);
      if (output.json) return output.document(answer);
      output.say(`rolled back (${answer.how}): ${name} serves ${answer.split.stable === null ? 'nothing' : `version ${answer.split.stable}`}, generation ${answer.generation}`);
    });
};

export const registerModelCommands = (program: Command): void => {
  const model = program.command('model').description('registered models');
  registerReads(model);
  registerChanges(model);
};
