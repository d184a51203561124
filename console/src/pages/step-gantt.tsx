/** The steps in time: one bar each, from when it began to when it ended. */
import type { Run, Step } from '../api/types.ts';
import { clockTime, duration, exactly, words } from '../ui/format.ts';
import { shownState } from '../ui/shown-state.ts';
import { toneOf } from '../ui/state-mark.tsx';
import { now } from '../ui/time.tsx';

type Span = { from: number; to: number };

const spanOf = (step: Step, until: number): Span | undefined => (step.startedAt === null ? undefined : { from: Date.parse(step.startedAt), to: step.finishedAt === null ? until : Date.parse(step.finishedAt) });

const Bar = ({ state, step, span, whole }: { state: string; step: Step; span: Span; whole: Span }) => {
  const length = whole.to - whole.from || 1;
  const left = ((span.from - whole.from) / length) * 100;
  const width = Math.max(0.4, ((span.to - span.from) / length) * 100);
  return <span class={`gantt-bar tone-${toneOf(state)}`} style={{ left: `${left}%`, width: `${Math.min(width, 100 - left)}%` }} title={`${step.name}: ${words(state)}, from ${exactly(new Date(span.from).toISOString())}`} />;
};

export const StepGantt = ({ run, chosen }: { run: Run; chosen: string | undefined }) => {
  if (run.startedAt === null) return null;
  const until = run.finishedAt === null ? now.value : Date.parse(run.finishedAt);
  const whole = { from: Date.parse(run.startedAt), to: Math.max(until, Date.parse(run.startedAt) + 1) };
  return (
    <table class="gantt">
      <caption class="sr-only">When each step ran</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">
            <span class="gantt-scale">
              <span>{clockTime(whole.from)}</span>
              <span>{duration(whole.to - whole.from)}</span>
            </span>
          </th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col" class="number">
            Attempts
          </th>
        </tr>
      </thead>
      <tbody>
        {run.steps.map((step) => {
          const span = spanOf(step, until);
          return (
            <tr key={step.name} class={step.name === chosen ? 'chosen' : undefined}>
              <th scope="row">{step.name}</th>
              <td class="gantt-lane">{span === undefined ? null : <Bar state={shownState(run.state, step)} step={step} span={span} whole={whole} />}</td>
              <td class="number">{span === undefined ? '–' : duration(span.to - span.from)}</td>
              <td class="number">{step.attempts === 0 ? '–' : step.attempts}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
};
