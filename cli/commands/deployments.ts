/** What is served, and the rollout that changes it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Deployment } from '../answers.ts';
import type { ApiClient } from '../api-client.ts';
import { EXIT } from '../exit-codes.ts';
import { clean, type Output } from '../output.ts';
import { openSession, segment, wholeNumber } from '../session.ts';

const WATCH_MS = 1_000;

const splitText = ({ split, generation }: Deployment): string => {
  const stable = split.stable === null ? 'nothing' : `version ${split.stable}`;
  const canary = split.canary === null ? '' : `, canary version ${split.canary} at ${split.canaryWeight} %`;
  return `stable ${stable}${canary} (generation ${generation})`;
};

const rolloutText = (rollout: Deployment['rollout']): string | null => {
  if (rollout === null) return null;
  const { status, state } = rollout;
  const step = status === null ? '' : `, step ${status.step + 1} of ${status.steps} at ${status.weight} %, ${status.state}`;
  const waiting = status?.waitingFor ? `, waits for ${status.waitingFor}` : '';
  const verdict = status?.lastVerdict ? `, last verdict ${status.lastVerdict.verdict}: ${status.lastVerdict.reason}` : '';
  const { outcome } = rollout;
  const end = outcome === null ? '' : `, ${outcome.kind}${outcome.reason === undefined ? '' : `: ${outcome.reason}`}`;
  return `rollout of version ${rollout.version ?? '?'}: ${state}${step}${waiting}${verdict}${end}`;
};

const linesOf = (deployment: Deployment): string[] => [splitText(deployment), ...[rolloutText(deployment.rollout)].filter((line) => line !== null)].map(clean);

const show = (output: Output, deployment: Deployment): void => {
  if (output.json) return output.document(deployment);
  linesOf(deployment).forEach((line) => output.say(line));
  if (deployment.orphaned) output.say(output.paint('yellow', `the rollout lost its workflow: perennial model rollback ${deployment.model}`));
  output.table(deployment.versions, ['version', 'requests', 'failures', 'fallbacks', 'unlogged']);
  output.table(deployment.gateways.map((row) => ({ ...row, live: row.live ? 'yes' : 'no', generation: row.acknowledgedGeneration })), ['gateway', 'live', 'generation', 'url', 'error']);
};

/** Says each change until no rollout runs. @returns the exit code */
const watch = async ({ api, output }: { api: ApiClient; output: Output }, path: string): Promise<number> => {
  let said = '';
  for (;;) {
    const deployment = await api.get<Deployment>(path);
    const text = linesOf(deployment).join('; ');
    if (text !== said) {
      said = text;
      if (output.json) output.document(deployment);
      else output.say(`${new Date().toISOString().slice(11, 19)}  ${text}`);
    }
    const { rollout } = deployment;
    if (rollout === null || rollout.state === 'finished') {
      const kind = rollout?.outcome?.kind;
      return kind === undefined || kind === 'promoted' || kind === 'observed' ? EXIT.ok : EXIT.failed;
    }
    if (rollout.state === 'orphaned') return EXIT.failed;
    await delay(WATCH_MS);
  }
};

const registerStatus = (program: Command): void => {
  program
    .command('deployment')
    .description('what is served for a model')
    .command('status <model>')
    .description('split, versions, gateways and the rollout')
    .option('--watch', 'say each change until no rollout runs; exit code 1 unless it was promoted')
    .action(async (model: string, options: { watch?: boolean }, command: Command) => {
      const session = openSession(command);
      const path = `/api/v1/models/${segment(model)}/deployment`;
      if (options.watch === true) process.exitCode = await watch(session, path);
      else show(session.output, await session.api.get<Deployment>(path));
    });
};

export const registerDeploymentCommands = (program: Command): void => {
  registerStatus(program);
  const rollout = program.command('rollout').description('the rollout of a model');
  rollout
    .command('start <model> <version>')
    .description('roll a version out: by a canary of 5, 25, 50, 100 % unless another strategy is named, with its defaults')
    .option('--strategy <name>', 'canary, blueGreen, ab, shadow or allAtOnce', 'canary')
    .action(async (model: string, version: string, { strategy }: { strategy: string }, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.post<{ rolloutId: string }>(`/api/v1/models/${segment(model)}/rollouts`, { version: wholeNumber('version')(version), strategy });
      if (output.json) return output.document(answer);
      output.say(`started ${answer.rolloutId}; see: perennial deployment status ${model} --watch`);
    });
  for (const act of ['pause', 'resume', 'promote', 'abort']) {
    rollout
      .command(`${act} <model>`)
      .description(`${act} the running rollout`)
      .option('--reason <text>', 'why', 'requested by a person')
      .action(async (model: string, { reason }: { reason: string }, command: Command) => {
        const { api, output } = openSession(command);
        const answer = await api.post(`/api/v1/models/${segment(model)}/rollout/${act}`, { reason });
        if (output.json) return output.document(answer);
        output.say(`${act} of the rollout of ${model} accepted`);
      });
  }
};
