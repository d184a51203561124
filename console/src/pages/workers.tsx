/** Pools and who works in them. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { counted } from '../ui/format.ts';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

type Pool = Answer<'/api/v1/workers'>['pools'][number];

const PoolPanel = ({ pool, workers }: Pool) => (
  <Panel title={pool} note={workers.length === 0 ? 'nobody' : counted(workers.length, 'worker')}>
    {workers.length === 0 ? (
      <Empty command={`node --import tsx workers/main.ts --pool ${pool}`}>No worker is running: steps of this pool wait.</Empty>
    ) : (
      <ul class="lines">
        {workers.map(({ workerId, host, pid, startedAt }) => (
          <li key={workerId} title={workerId}>
            <StateMark state="live" />
            <span>{host}</span>
            <span class="muted">process {pid}</span>
            <span class="end">
              started <Ago at={startedAt} />
            </span>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);

export const Workers = () => (
  <Page title="Workers">
    <Shown read={useRead('/api/v1/workers', { pollMs: 2_000 })}>
      {({ pools }) => (
        <div class="panels">
          {pools.map((pool) => (
            <PoolPanel key={pool.pool} {...pool} />
          ))}
        </div>
      )}
    </Shown>
  </Page>
);
