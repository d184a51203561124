/** Runs by steps: a coloured square for each step, and the durations as bars, so that a trend is seen at a glance. */
import type { RunSummary } from '../api/types.ts';
import { duration, shortId, words } from './format.ts';
import { Link, pipelinePath, runPath } from './link.tsx';
import { Scroll } from './page.tsx';
import { shownState } from './shown-state.ts';
import { signOf, StateMark, toneOf } from './state-mark.tsx';
import { Ago } from './time.tsx';

type Mark = NonNullable<RunSummary['steps']>[number];

const Square = ({ run, step }: { run: RunSummary; step: Mark }) => {
  const { runId } = run;
  const mark = { ...step, state: shownState(run.state, step) };
  const text = `${mark.name}: ${words(mark.state)}${mark.durationMs === null ? '' : `, ${duration(mark.durationMs)}`}`;
  return (
    <Link to={`${runPath(runId)}?step=${encodeURIComponent(mark.name)}`} class={`square tone-${toneOf(mark.state)}`} title={text}>
      <span aria-hidden="true">{signOf(mark.state)}</span>
      <span class="sr-only">{text}</span>
    </Link>
  );
};

const Squares = ({ run, columns }: { run: RunSummary; columns: string[] }) => {
  const marks = new Map((run.steps ?? []).map((mark) => [mark.name, mark]));
  return (
    <>
      {columns.map((name) => {
        const mark = marks.get(name);
        return (
          <td key={name} class="square-cell">
            {mark === undefined ? <span class="square none" title={`${name}: not begun`} /> : <Square run={run} step={mark} />}
          </td>
        );
      })}
    </>
  );
};

const AllSquares = ({ run }: { run: RunSummary }) => (
  <td>
    <span class="squares">
      {(run.steps ?? []).map((mark) => (
        <Square key={mark.name} run={run} step={mark} />
      ))}
    </span>
  </td>
);

const DurationBar = ({ ms, most }: { ms: number | null; most: number }) => (
  <td class="number">
    <span class="bar-cell">
      <span class="bar" style={{ width: `${ms === null ? 0 : Math.max(2, (ms / most) * 100)}%` }} />
      <span>{duration(ms)}</span>
    </span>
  </td>
);

/** The steps of these runs, each once, in the order in which the newest run with them has them. */
const stepNames = (runs: RunSummary[]): string[] => [...new Set(runs.flatMap((run) => (run.steps ?? []).map((mark) => mark.name)))];

type Grid = { runs: RunSummary[]; hasPipeline: boolean };

export const RunGrid = ({ runs, hasPipeline }: Grid) => {
  const columns = hasPipeline ? [] : stepNames(runs);
  const most = Math.max(1, ...runs.map((run) => run.durationMs ?? 0));
  return (
    <div class="panel">
      <Scroll label="Runs">
        <table class="run-grid">
          <thead>
            <tr>
              <th scope="col">Run</th>
              {hasPipeline ? <th scope="col">Pipeline</th> : null}
              <th scope="col">State</th>
              {hasPipeline ? <th scope="col">Steps</th> : columns.map((name) => <th scope="col" key={name} class="step-head">{name}</th>)}
              <th scope="col">Duration</th>
              <th scope="col">Started</th>
              <th scope="col">Because</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.runId}>
                <th scope="row">
                  <Link to={runPath(run.runId)} title={run.runId}>
                    {shortId(run.runId)}
                  </Link>
                </th>
                {hasPipeline ? (
                  <td>
                    <Link to={pipelinePath(run.pipeline)}>{run.pipeline}</Link>
                  </td>
                ) : null}
                <td>
                  <StateMark state={run.state} />
                </td>
                {hasPipeline ? <AllSquares run={run} /> : <Squares run={run} columns={columns} />}
                <DurationBar ms={run.durationMs} most={most} />
                <td>
                  <Ago at={run.startedAt} />
                </td>
                <td class="muted clip fill" title={run.trigger?.reason}>
                  {run.trigger === null ? '' : `${run.trigger.kind}: ${run.trigger.reason}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
};
