/** When a pipeline runs by the clock: the next five ticks, the skipped ones, and stopping it for a while. */
import { pathOf } from '../api/client.ts';
import type { Schedule } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { ActButton } from '../ui/act.tsx';
import { count, dayTime, exactly } from '../ui/format.ts';
import { OutLink } from '../ui/link.tsx';
import { Empty, Facts, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';

const NEXT = 5;

const Ticks = ({ next }: { next: string[] }) =>
  next.length === 0 ? (
    <span class="muted">none</span>
  ) : (
    <ol class="ticks">
      {next.slice(0, NEXT).map((at) => (
        <li key={at}>
          <time dateTime={at} title={exactly(at)}>
            {dayTime(at)}
          </time>
        </li>
      ))}
    </ol>
  );

const Acts = ({ schedule: { pipeline, name, live } }: { schedule: Schedule }) => {
  if (live === null) return null;
  const path = (act: string): string => pathOf(`/api/v1/schedules/{pipeline}/{name}/${act}`, { pipeline, name });
  return (
    <div class="actions">
      {live.paused ? (
        <ActButton label="Resume" title={`Resume the schedule ${name}`} effect={<p>Its ticks start runs of {pipeline} again.</p>} permission="runs:write" path={path('resume')} primary />
      ) : (
        <ActButton label="Pause" title={`Pause the schedule ${name}`} effect={<p>Its ticks start nothing until somebody resumes it. A run that goes on is not touched.</p>} permission="runs:write" path={path('pause')} />
      )}
      <ActButton label="Tick now" title={`Tick the schedule ${name} now`} effect={<p>A run of {pipeline} starts as if the time had come, by the schedule's rule for overlaps.</p>} permission="runs:write" path={path('trigger')} />
    </div>
  );
};

const One = ({ schedule }: { schedule: Schedule }) => {
  const { name, timing, live, degraded, synced, syncError, links } = schedule;
  return (
    <article class="schedule">
      <div class="panel-head">
        <h3>
          {name} <span class="muted">{timing}</span> {live === null ? null : <StateMark state={live.paused ? 'paused' : 'running'} label={live.paused ? 'paused' : 'active'} />}
        </h3>
        <Acts schedule={schedule} />
      </div>
      {degraded === null ? null : <p class="muted">{degraded}</p>}
      {synced ? null : <p class="problem-text">{syncError ?? 'Temporal has not got it yet; it is brought there as soon as Temporal answers.'}</p>}
      {live === null ? null : (
        <Facts
          facts={[
            ['Next', <Ticks next={live.next} />],
            ['Taken', count(live.taken)],
            ['Skipped', `${count(live.skippedByOverlap)} because a run was not over, ${count(live.missedCatchup)} because the server was away`],
            ['Overlap', schedule.spec.overlap ?? 'skip'],
            ...(live.note === null ? [] : ([['Note', live.note]] as [string, string][])),
            ['Raw truth', <OutLink to={links.temporal}>Temporal Web UI</OutLink>],
          ]}
        />
      )}
    </article>
  );
};

export const Schedules = ({ pipeline }: { pipeline: string }) => (
  <Shown read={useRead('/api/v1/schedules', { query: { pipeline }, pollMs: 10_000 })}>
    {({ schedules }) =>
      schedules.length === 0 ? (
        <Empty command={`npx --no perennial schedule create ${pipeline} daily --cron "0 6 * * *"`}>It does not run by the clock.</Empty>
      ) : (
        <>
          {schedules.map((schedule) => (
            <One key={schedule.id} schedule={schedule} />
          ))}
        </>
      )
    }
  </Shown>
);
