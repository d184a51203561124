/** Follows a run by its server-sent events: a line for each change of a step, its progress in between. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome, Progress, RunEnd, Step } from './answers.ts';
import { CliFailure, EXIT } from './exit-codes.ts';
import { clean, type Output } from './output.ts';
import { segment, type Session } from './session.ts';

const COLOUR = { succeeded: 'green', reused: 'green', failed: 'red', cancelled: 'yellow', waiting: 'yellow', running: 'dim', notStarted: 'dim', skipped: 'dim' } as const;

/** `train      running on cpu, attempt 2`. */
export const stepLine = (output: Output, step: Step): string => {
  const wait = step.waitingFor === null ? '' : ` for ${clean(step.waitingFor)}`;
  const attempt = step.attempts > 1 ? `, attempt ${step.attempts}` : '';
  const duration = step.durationMs === null ? '' : `  ${(step.durationMs / 1_000).toFixed(1)} s`;
  const progress = step.progress ? `  ${progressText(step.progress)}` : '';
  const heartbeat = typeof step.heartbeatAgeSeconds === 'number' ? `, alive ${Math.round(step.heartbeatAgeSeconds)} s ago` : '';
  const failure = step.failure === null ? '' : `  ${clean(step.failure.code)}: ${clean(step.failure.message)}`;
  return `${clean(step.name).padEnd(10)} ${output.paint(COLOUR[step.state], step.state)}${wait}${attempt}${duration}${progress}${heartbeat}${failure}`;
};

const progressText = ({ done, total, metrics, what }: Progress): string => {
  if (total <= 0) return what === undefined ? `${done}` : clean(what);
  const share = ` (${Math.floor((100 * done) / total)} %)`;
  const numbers = Object.entries(metrics ?? {}).map(([name, value]) => `, ${clean(name)} ${value.toPrecision(4)}`);
  return `${done} of ${total}${what === undefined ? '' : ` ${clean(what)}`}${share}${numbers.join('')}`;
};

/** Why a run ended as it did, one line each. */
export const reasonsOf = (outcome: Outcome | null): string[] => [...(outcome?.reasons ?? []), ...(outcome?.reason === undefined ? [] : [outcome.reason])].map(clean);

const endLines = (output: Output, { state, outcome, failure }: RunEnd): string[] => {
  const reasons = reasonsOf(outcome).map((reason) => `  ${reason}`);
  const failed = failure === null ? [] : [`  ${clean(failure.code)}: ${clean(failure.message)}`, `  fix: ${clean(failure.fix)}`, ...(failure.logTail ?? []).map((line) => `  | ${clean(line)}`)];
  return [output.paint(state === 'succeeded' ? 'green' : 'red', `run ${state}`), ...reasons, ...failed];
};

/** A terminal shows each look at a long training; a log file wants fewer lines. */
const PROGRESS_MS = 2_000;

type Saying = { output: Output; saidProgress: Map<string, number>; said: Set<string> };

const say = ({ output, saidProgress, said }: Saying, { event, data }: { event: string; data: unknown }): void => {
  if (output.json) return output.document({ event, ...(data as object) });
  if (event === 'step') {
    const line = stepLine(output, data as Step);
    // A stream that was opened again begins with the present state, which has been said.
    if (!said.has(line)) output.say(line);
    said.add(line);
  }
  if (event === 'progress') {
    const progress = data as Progress & { name: string };
    const isDue = Date.now() - (saidProgress.get(progress.name) ?? 0) >= PROGRESS_MS;
    if (isDue) output.say(`${clean(progress.name).padEnd(10)} ${progressText(progress)}`);
    if (isDue) saidProgress.set(progress.name, Date.now());
  }
  if (event === 'end') endLines(output, data as RunEnd).forEach((line) => output.say(line));
};

const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

/**
 * Follows a run to its end; a broken connection is opened again for up to a minute.
 * @returns the exit code: 0 when the run succeeded, else 1
 */
export const watchRun = async ({ api, output }: Session, runId: string): Promise<number> => {
  const saying: Saying = { output, saidProgress: new Map(), said: new Set() };
  const path = `/api/v1/runs/${segment(runId)}/events`;
  let brokenAt: number | undefined;
  for (;;) {
    try {
      for await (const item of api.events(path, new AbortController().signal)) {
        brokenAt = undefined;
        say(saying, item);
        if (item.event === 'end') return (item.data as RunEnd).state === 'succeeded' ? EXIT.ok : EXIT.failed;
      }
    } catch (error) {
      if (error instanceof CliFailure && error.exitCode !== EXIT.unreachable) throw error;
      brokenAt ??= Date.now();
      if (Date.now() - brokenAt > PATIENCE_MS) throw error;
    }
    await delay(AGAIN_MS);
  }
};
