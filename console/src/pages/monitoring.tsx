/** All models with what their monitors say. */
import type { Overview } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { count, measured, percent } from '../ui/format.ts';
import { Link, monitorPath } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const Row = ({ model: { name, windows } }: { model: Overview['models'][number] }) => {
  const last = windows.at(-1);
  return (
    <tr>
      <th scope="row">
        <Link to={monitorPath(name)}>{name}</Link>
      </th>
      <td>{last === undefined ? <span class="muted">no window yet</span> : last.drifted ? <StateMark state="drifted" /> : <StateMark state="holds" label="no drift" />}</td>
      <td>
        <Sparkline label="Share of drifted columns" values={windows.map(({ driftScore }) => driftScore)} format={(share) => percent(share)} />
      </td>
      <td>{last === undefined || last.quality === null ? <span class="muted">no labels yet</span> : <StateMark state={last.qualityDropped ? 'dropped' : 'holds'} />}</td>
      <td>
        <Sparkline label="Quality" values={windows.map(({ quality }) => quality)} format={measured} />
      </td>
      <td class="number">{last === undefined ? '–' : count(last.rows)}</td>
      <td>
        <Ago at={last?.to ?? null} />
      </td>
    </tr>
  );
};

export const Monitoring = () => (
  <Page title="Monitoring">
    <Shown read={useRead('/api/v1/overview')}>
      {({ models }) =>
        models.length === 0 ? (
          <Empty command="npx --no perennial run start PIPELINE">No model is watched: a monitor starts with the first promotion.</Empty>
        ) : (
          <div class="panel">
            <Table label="Monitors" columns={['Model', 'Drift now', 'Drifted columns', 'Quality now', 'Quality over time', { number: 'Rows of the window' }, 'Window closed']}>
              {models.map((model) => (
                <Row key={model.name} model={model} />
              ))}
            </Table>
          </div>
        )
      }
    </Shown>
  </Page>
);
