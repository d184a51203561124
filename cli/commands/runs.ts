/** Runs: start, list, show, watch, cancel, retry, approve, reject. */
import type { Command } from 'commander';
import type { Run, RunSummary, StartedRun, Trials } from '../answers.ts';
import { clean, type Output } from '../output.ts';
import { useText } from '../resources.ts';
import { openSession, segment, wholeNumber, type Session } from '../session.ts';
import { reasonsOf, stepLine, watchRun } from '../watch-run.ts';

const runPath = (runId: string): string => `/api/v1/runs/${segment(runId)}`;

const seconds = (ms: number | null): string | null => (ms === null ? null : `${(ms / 1_000).toFixed(1)} s`);

/** What was started, and its course if that is waited for. */
export const showStarted = async (session: Session, started: StartedRun, wait: boolean): Promise<void> => {
  const { output } = session;
  if (output.json && !wait) return output.document(started);
  output.say(`run ${started.runId}`);
  output.say(output.paint('dim', `Temporal: ${clean(started.links.temporal)}`));
  if (wait) process.exitCode = await watchRun(session, started.runId);
  else output.say(`watch it: perennial run watch ${started.runId}`);
};

const showRun = (output: Output, run: Run): void => {
  if (output.json) return output.document(run);
  output.say(`${run.runId}  ${run.state}${run.waitingFor === null ? '' : `, waits for ${clean(run.waitingFor)}`}${run.durationMs === null ? '' : `  ${seconds(run.durationMs)}`}`);
  if (run.degraded !== null) output.say(output.paint('yellow', clean(run.degraded)));
  (run.reasons ?? []).forEach(({ kind, reason, events, started }) => output.say(`  ${started ? 'because of' : 'and'} ${kind}: ${clean(reason)}${events === 1 ? '' : ` (${events} times)`}`));
  run.steps.forEach((step) => output.say(`  ${stepLine(output, step)}`));
  if (run.failure !== null) {
    output.say(output.paint('red', `${clean(run.failure.code)}: ${clean(run.failure.message)}`));
    output.say(`  fix: ${clean(run.failure.fix)}`);
    run.failure.logTail?.forEach((line) => output.say(`  | ${clean(line)}`));
  }
  reasonsOf(run.outcome).forEach((reason) => output.say(`  ${reason}`));
  if (run.resources) output.say(output.paint('dim', useText(run.resources, run.currency ?? null)));
  output.say(output.paint('dim', clean(run.links.temporal)));
};

const registerStart = (run: Command): void => {
  run
    .command('start <pipeline>')
    .description('start a run of a pipeline')
    .option('--pipeline-version <n>', 'an older version', wholeNumber('--pipeline-version'))
    .option('--reason <text>', 'why, for the record')
    .option('--idempotency-key <key>', 'the same key is the same run')
    .option('--wait', 'watch it to its end')
    .action(async (pipeline: string, options: { pipelineVersion?: number; reason?: string; idempotencyKey?: string; wait?: boolean }, command: Command) => {
      const session = openSession(command);
      const { pipelineVersion, reason, idempotencyKey, wait } = options;
      const started = await session.api.post<StartedRun>(`/api/v1/pipelines/${segment(pipeline)}/runs`, { pipelineVersion, reason }, idempotencyKey);
      await showStarted(session, started, wait === true);
    });
};

const registerReads = (run: Command): void => {
  run
    .command('list')
    .description('runs, newest first')
    .option('--pipeline <name>', 'of one pipeline')
    .option('--state <state>', 'in one state')
    .option('--limit <n>', 'how many', wholeNumber('--limit'), 20)
    .action(async ({ pipeline, state, limit }: { pipeline?: string; state?: string; limit: number }, command: Command) => {
      const { api, output } = openSession(command);
      const filter = new URLSearchParams({ limit: String(limit), ...(pipeline === undefined ? {} : { pipeline }), ...(state === undefined ? {} : { state }) });
      const page = await api.get<{ runs: RunSummary[] }>(`/api/v1/runs?${filter.toString()}`);
      if (output.json) return output.document(page);
      output.table(page.runs.map((row) => ({ ...row, trigger: row.trigger?.kind, duration: seconds(row.durationMs), version: row.pipelineVersion })), ['runId', 'state', 'version', 'trigger', 'startedAt', 'duration']);
    });
  run
    .command('get <run>')
    .description('one run with all its steps')
    .action(async (runId: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      showRun(output, await api.get<Run>(runPath(runId)));
    });
  run
    .command('watch <run>')
    .description('follow a run to its end; exit code 0 when it succeeded, else 1')
    .action(async (runId: string, _options: unknown, command: Command) => {
      process.exitCode = await watchRun(openSession(command), runId);
    });
};

const registerActions = (run: Command): void => {
  run
    .command('cancel <run>')
    .description('cancel a run')
    .action(async (runId: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.post(`${runPath(runId)}/cancel`, {});
      if (output.json) return output.document(answer);
      output.say(`cancelling ${runId}`);
    });
  run
    .command('retry <run>')
    .description('run it again as a new run, with the proven outputs of this one')
    .option('--from <step>', 'do the work again from this step')
    .option('--wait', 'watch it to its end')
    .action(async (runId: string, { from, wait }: { from?: string; wait?: boolean }, command: Command) => {
      const session = openSession(command);
      await showStarted(session, await session.api.post<StartedRun>(`${runPath(runId)}/retry`, { from }), wait === true);
    });
  for (const decision of ['approve', 'reject']) {
    run
      .command(`${decision} <run>`)
      .description(`${decision} a run that waits for a person`)
      .option('--comment <text>', 'why')
      .action(async (runId: string, { comment }: { comment?: string }, command: Command) => {
        const { api, output } = openSession(command);
        const answer = await api.post(`${runPath(runId)}/${decision}`, { comment });
        if (output.json) return output.document(answer);
        output.say(`${decision} of ${runId} accepted`);
      });
  }
};

const shown = (value: number | null): string | null => (value === null ? null : String(Number(value.toPrecision(6))));

const registerTrials = (run: Command): void => {
  run
    .command('trials <run>')
    .description("trials of the run's hyper-parameter search")
    .action(async (runId: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<Trials>(`${runPath(runId)}/trials`);
      if (output.json) return output.document(answer);
      if (answer.metric === null) return output.say('the pipeline of this run declares no search');
      output.say(`${answer.trials.length} of ${answer.planned} trials, by ${answer.metric}${answer.best === null ? '' : `; best: trial ${answer.best}`}`);
      const rows = answer.trials.map(({ number, state, value, seconds: trained, params, failure }) => ({
        trial: `${number}${number === answer.best ? ' *' : ''}`,
        state,
        [answer.metric ?? 'value']: shown(value),
        trained: trained === null ? null : seconds(trained * 1_000),
        params: Object.entries(params).map(([name, given]) => `${name}=${typeof given === 'number' ? shown(given) : given}`).join(' '),
        failure: failure?.code ?? null,
      }));
      output.table(rows, ['trial', 'state', answer.metric, 'trained', 'params', 'failure']);
    });
};

export const registerRunCommands = (program: Command): void => {
  const run = program.command('run').description('runs of pipelines');
  registerStart(run);
  registerReads(run);
  registerTrials(run);
  registerActions(run);
};
