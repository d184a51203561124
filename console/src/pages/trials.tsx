/** The trials of a hyper-parameter search: which did how well with what, live while it runs. */
import type { Answer } from '../api/types.ts';
import type { TrackedRun } from '../api/tracking.ts';
import { useRead } from '../state/query.ts';
import { counted, duration, measured, words } from '../ui/format.ts';
import { Empty, Panel, Scroll, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Parallel, Scatter } from './compare-plots.tsx';

type Found = Answer<'/api/v1/runs/{id}/trials'>;
type Trial = Found['trials'][number];

/** More columns than these begin to hide each other. */
const MOST_PARAMS = 8;

/** Trials are drawn as tracked runs are. */
const asTracked = ({ runId, metric, trials }: Found): TrackedRun[] =>
  trials
    .filter(({ value }) => value !== null)
    .map(({ number, params, value }) => ({
      info: { run_id: `${runId}/${number}`, run_name: `trial ${number}`, status: 'FINISHED' },
      data: { params: Object.entries(params).map(([key, one]) => ({ key, value: String(one) })), metrics: [{ key: metric ?? 'value', value: value ?? '' }] },
    }));

const namesOf = (trials: Trial[]): string[] => [...new Set(trials.flatMap(({ params }) => Object.keys(params)))].slice(0, MOST_PARAMS);

const Table = ({ found: { trials, best, metric } }: { found: Found }) => {
  const names = namesOf(trials);
  return (
    <Scroll label="Trials">
      <table>
        <thead>
          <tr>
            <th scope="col">Trial</th>
            <th scope="col">State</th>
            <th scope="col" class="number">{words(metric ?? 'value')}</th>
            <th scope="col" class="number">Trained</th>
            {names.map((name) => (
              <th scope="col" class="number" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {trials.map((trial) => (
            <tr key={trial.number} class={trial.number === best ? 'best' : undefined}>
              <th scope="row">
                {trial.number} {trial.number === best ? <span class="tag champion">best</span> : null}
              </th>
              <td title={trial.failure?.message}>
                <StateMark state={trial.state === 'pruned' ? 'skipped' : trial.state} label={trial.state} />
              </td>
              <td class="number">{measured(trial.value)}</td>
              <td class="number">{trial.seconds === null ? '–' : duration(trial.seconds * 1_000)}</td>
              {names.map((name) => (
                <td class="number" key={name}>
                  {typeof trial.params[name] === 'number' ? measured(trial.params[name]) : String(trial.params[name] ?? '–')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

export const Trials = ({ runId }: { runId: string }) => (
  <Shown read={useRead('/api/v1/runs/{id}/trials', { params: { id: runId }, pollMs: 2_000 })}>
    {(found) => {
      const tracked = asTracked(found);
      return (
        <Panel title="Search" note={`${counted(found.trials.length, 'trial')} of ${found.planned}`} wide>
          {found.trials.length === 0 ? <Empty>No trial has begun.</Empty> : <Table found={found} />}
          {tracked.length < 2 ? null : (
            <>
              <Parallel runs={tracked} />
              <Scatter runs={tracked} />
            </>
          )}
        </Panel>
      );
    }}
  </Shown>
);
