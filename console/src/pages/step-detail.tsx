/** One step: its state in words, attempts, progress with the time left, why its last attempt failed, what went in and came out. */
import type { ComponentChildren } from 'preact';
import type { Run, Step } from '../api/types.ts';
import { count, duration, measured, percent, words } from '../ui/format.ts';
import { Facts, Panel } from '../ui/page.tsx';
import { shownState } from '../ui/shown-state.ts';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

const SENTENCES: Record<string, string> = {
  notStarted: 'has not begun',
  waiting: 'waits',
  running: 'is at work',
  succeeded: 'is done',
  failed: 'failed',
  cancelled: 'was cancelled',
  reused: 'took over the output of the run that this one retries',
  skipped: 'was not reached',
  rejected: 'said no',
  rolledBack: 'took the canary back',
};

/** The rest at the pace so far; null while nothing can be said. */
const timeLeft = ({ progress, durationMs }: Step): number | null =>
  progress === null || progress.done <= 0 || progress.total <= 0 || durationMs === null ? null : (durationMs / progress.done) * Math.max(0, progress.total - progress.done);

const Progress = ({ step }: { step: Step }) => {
  const { progress } = step;
  if (progress === null || progress.total <= 0) return null;
  const left = timeLeft(step);
  return (
      <div class="progress-line">
        <progress max={progress.total} value={progress.done} aria-label={`Progress of ${step.name}`} />
        <span>
          {count(progress.done)} of {count(progress.total)} {progress.what ?? ''} ({percent(progress.done / progress.total)}){left === null ? '' : `, about ${duration(left)} left`}
        </span>
        {progress.metrics === undefined ? null : (
          <span class="muted">
            {Object.entries(progress.metrics)
              .map(([name, value]) => `${words(name)} ${measured(value)}`)
              .join(', ')}
          </span>
        )}
      </div>
  );
};

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const Value = ({ title, value }: { title: string; value: unknown }) =>
  value === null || value === undefined ? null : (
    <details>
      <summary>{title}</summary>
      <pre class="log" tabIndex={0}>
        {json(value)}
      </pre>
    </details>
  );

type Gate = { gate: string; passed: boolean; reason: string };

/** The gate step's output is why the model may go on or not: shown as it is meant. */
const Gates = ({ output }: { output: unknown }) => {
  const gates = (output as { gates?: Gate[] } | null)?.gates;
  if (!Array.isArray(gates)) return null;
  return (
      <ul class="plain">
        {gates.map(({ gate, passed, reason }) => (
          <li key={gate}>
            <StateMark state={passed ? 'passed' : 'failed'} label={gate} /> {reason}
          </li>
        ))}
      </ul>
  );
};

const factsOf = (step: Step): [string, ComponentChildren][] => [
  ['Pool', step.pool ?? '–'],
  ['Attempts', step.attempts],
  ['Began', <Ago at={step.startedAt} />],
  ['Took', duration(step.durationMs)],
  ...(step.heartbeatAgeSeconds === null ? [] : ([['Alive', `${step.heartbeatAgeSeconds.toFixed(0)} s ago`]] as [string, string][])),
  ...(step.resources === null ? [] : ([['Used', `${step.resources.cpuSeconds.toFixed(1)} s CPU, at most ${count(step.resources.peakMemoryBytes / 1_048_576)} MiB`]] as [string, string][])),
];

export const StepDetail = ({ run, step }: { run: Run; step: Step }) => {
  const state = shownState(run.state, step);
  return (
    <Panel title={`Step ${step.name}`}>
      <p>
        <StateMark state={state} /> {step.waitingFor === null ? SENTENCES[state] : `waits for ${step.waitingFor}`}
      </p>
      <Progress step={step} />
      {step.failure === null ? null : (
        <div class="callout tone-bad">
          <strong>{step.state === 'failed' ? 'Why' : 'The attempt before failed'}</strong>: {step.failure.message} <code>{step.failure.code}</code>
          <div class="muted">{step.failure.fix}</div>
        </div>
      )}
      <Gates output={step.output} />
      <Facts facts={factsOf(step)} />
      <Value title="Input" value={step.input} />
      <Value title="Output" value={step.output} />
    </Panel>
  );
};
