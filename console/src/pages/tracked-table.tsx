/** Tracked runs with the chosen columns; a click on a head orders by it, on the server. */
import { instantOf, metricOf, nameOf, paramOf, type TrackedRun } from '../api/tracking.ts';
import { setQuery } from '../state/router.ts';
import { measured } from '../ui/format.ts';
import { Scroll } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

const STATES: Record<string, string> = { RUNNING: 'running', FINISHED: 'succeeded', FAILED: 'failed', KILLED: 'cancelled', SCHEDULED: 'waiting' };

/** `metrics.a b` as the search grammar wants it. */
const quoted = (column: string): string => column.replace(/^(metrics|params)\.(.*)$/s, '$1.`$2`');

const Head = ({ column, label, order, isNumber }: { column: string; label: string; order: string; isNumber: boolean }) => {
  const name = quoted(column);
  const isDown = order === `${name} DESC`;
  const isUp = order === `${name} ASC`;
  return (
    <th scope="col" class={isNumber ? 'number' : undefined} aria-sort={isDown ? 'descending' : isUp ? 'ascending' : 'none'}>
      <button type="button" class="link head" onClick={() => setQuery({ order: `${name} ${isDown ? 'ASC' : 'DESC'}`, token: undefined })}>
        {label}
        {isDown ? ' ↓' : isUp ? ' ↑' : ''}
      </button>
    </th>
  );
};

const Cell = ({ run, column }: { run: TrackedRun; column: string }) => {
  const [kind, name] = [column.slice(0, column.indexOf('.')), column.slice(column.indexOf('.') + 1)];
  if (kind === 'metrics') return <td class="number">{measured(metricOf(run, name))}</td>;
  const value = paramOf(run, name);
  return (
    <td class="clip narrow" title={value ?? undefined}>
      {value ?? '–'}
    </td>
  );
};

type Table = { runs: TrackedRun[]; columns: string[]; order: string; chosen: string[]; onChoose: (chosen: string[]) => void };

export const TrackedTable = ({ runs, columns, order, chosen, onChoose }: Table) => {
  const isAll = chosen.length === runs.length;
  return (
    <div class="panel">
      <Scroll label="Tracked runs">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <input type="checkbox" aria-label="Choose all" checked={isAll} onChange={() => onChoose(isAll ? [] : runs.map(({ info }) => info.run_id))} />
              </th>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <Head column="attributes.start_time" label="Started" order={order} isNumber={false} />
              {columns.map((column) => (
                <Head key={column} column={column} label={column.slice(column.indexOf('.') + 1)} order={order} isNumber={column.startsWith('metrics.')} />
              ))}
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => {
              const { run_id: id, status, start_time: startedAt } = run.info;
              return (
                <tr key={id}>
                  <td>
                    <input type="checkbox" aria-label={`Choose ${nameOf(run)}`} checked={chosen.includes(id)} onChange={() => onChoose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id])} />
                  </td>
                  <th scope="row" title={id}>
                    {nameOf(run)}
                  </th>
                  <td>
                    <StateMark state={STATES[status] ?? 'unknown'} label={status.toLowerCase()} />
                  </td>
                  <td>
                    <Ago at={instantOf(startedAt)} />
                  </td>
                  {columns.map((column) => (
                    <Cell key={column} run={run} column={column} />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
};
