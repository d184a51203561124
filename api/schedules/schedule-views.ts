/** What the API shows of a schedule: the wish from its row, and what Temporal says of it. */
import { z } from 'zod';
import { scheduleId } from '../../contracts/ids.ts';
import { Name } from '../../contracts/pipeline.ts';
import { ScheduleSpec, type ScheduleKey, type ScheduleState } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { timingText } from '../../domain/schedules.ts';
import type { ApiContext } from '../http/app-types.ts';
import { Instant, iso } from '../http/schemas.ts';
import { scheduleLink } from '../runs/run-links.ts';
import type { ScheduleRow } from './schedule-rows.ts';

export const ScheduleParams = z.object({ pipeline: Name, name: Name });

/** A schedule as the audit names it. */
export const subjectOf = ({ pipeline, name }: ScheduleKey): string => `${pipeline}/${name}`;

const LiveSchedule = z.object({
  paused: z.boolean(),
  note: z.string().nullable().describe('Why it is paused, or its description.'),
  next: z.array(Instant).describe('The next ticks.'),
  recent: z.array(z.object({ scheduledAt: Instant, takenAt: Instant, workflowId: z.string() })).describe('The latest ticks, newest last.'),
  running: z.array(z.string()).describe('Workflows of ticks whose run is not over.'),
  taken: z.number().int(),
  skippedByOverlap: z.number().int().describe('Ticks that were skipped because an earlier one was not over.'),
  missedCatchup: z.number().int().describe('Ticks that the server missed for longer than catchupSeconds.'),
  droppedFromBuffer: z.number().int(),
});

export const ScheduleView = z
  .object({
    id: z.string().describe('Of the Temporal Schedule.'),
    pipeline: z.string(),
    name: z.string(),
    origin: z.enum(['pipeline', 'api']).describe('Declared in the pipeline, or put by API.'),
    timing: z.string(),
    spec: ScheduleSpec,
    synced: z.boolean().describe('Whether Temporal has it as it is written here; if not, it is brought there as soon as Temporal answers.'),
    syncError: z.string().nullable().describe('Why Temporal refused it.'),
    live: LiveSchedule.nullable(),
    degraded: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Instant,
    updatedAt: Instant,
    links: z.object({ self: z.string(), temporal: z.string().describe('The schedule in the Temporal Web UI.') }),
  })
  .meta({ id: 'Schedule' });
export type ScheduleView = z.infer<typeof ScheduleView>;

export const ScheduleTick = z.object({
  triggerId: z.string(),
  at: Instant.describe('The scheduled time.'),
  outcome: z.enum(['ran', 'coalesced', 'rejected']),
  runId: z.string().nullable(),
  coalescedInto: z.string().nullable(),
  rejection: z.string().nullable(),
});

type Live = { live: ScheduleState | null; degraded: string | null };

const liveOf = async ({ schedules }: ApiContext, key: ScheduleKey): Promise<Live> => {
  try {
    return { live: (await schedules.engine.describe(key)) ?? null, degraded: null };
  } catch (error) {
    if (!(error instanceof PerennialFailure) || error.code !== 'TemporalUnavailable') throw error;
    return { live: null, degraded: 'Temporal does not answer: whether it is paused, and its ticks, are not known.' };
  }
};

export const scheduleView = async (context: ApiContext, row: ScheduleRow): Promise<ScheduleView> => {
  const { pipeline, name } = row;
  const self = `/api/v1/schedules/${encodeURIComponent(pipeline)}/${encodeURIComponent(name)}`;
  const id = scheduleId(pipeline, name);
  return {
    ...row,
    id,
    timing: timingText(row.spec),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
    ...(await liveOf(context, { pipeline, name })),
    links: { self, temporal: scheduleLink(context.temporal, id) },
  };
};

const TICKS_SHOWN = 20;

/** The ledger's rows of the schedule, newest first. */
export const ticksOf = async ({ database }: ApiContext, { pipeline, name }: ScheduleKey): Promise<z.infer<typeof ScheduleTick>[]> => {
  const rows = await database
    .selectFrom('triggers')
    .select(['trigger_id', 'at', 'outcome', 'run_id', 'coalesced_into', 'rejection'])
    .where('pipeline', '=', pipeline)
    .where('source', '=', scheduleId(pipeline, name))
    .orderBy('at', 'desc')
    .limit(TICKS_SHOWN)
    .execute();
  return rows.map((row) => ({ triggerId: row.trigger_id, at: iso(row.at), outcome: row.outcome as 'ran', runId: row.run_id, coalescedInto: row.coalesced_into, rejection: row.rejection }));
};
