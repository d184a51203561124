/** Closed monitor windows in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { ColumnHistogram } from '../../contracts/monitor-report.ts';
import type { ConceptRecord, MonitorWindows } from '../../domain/ports/monitoring.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

/** Histograms are for reports on what is happening; older ones would fill the database, and their scores stay in the windows. */
const WINDOWS_WITH_HISTOGRAMS = 50;
/** The columns whose histograms are kept, the most drifted first: a model may have thousands. */
const MOST_HISTOGRAMS = 200;

const mostTelling = (window: MonitorWindow, histograms: ColumnHistogram[]): ColumnHistogram[] => {
  if (histograms.length <= MOST_HISTOGRAMS) return histograms;
  const drifted = new Set(window.columns.filter((column) => column.drifted).map(({ column }) => column));
  return [...histograms].sort((first, second) => Number(drifted.has(second.column)) - Number(drifted.has(first.column))).slice(0, MOST_HISTOGRAMS);
};

const saveHistograms = (database: Kysely<Database>, { model, window, histograms }: { model: string; window: MonitorWindow; histograms: ColumnHistogram[] }) => sql`
  with outdated as (
    delete from monitor_histograms where model = ${model} and version = ${window.version} and window_number <= ${window.window - WINDOWS_WITH_HISTOGRAMS})
  insert into monitor_histograms (model, version, window_number, histograms)
  values (${model}, ${window.version}, ${window.window}, ${asJson(mostTelling(window, histograms))}::jsonb)
  on conflict (model, version, window_number) do update set histograms = excluded.histograms, updated_at = now()`.execute(database);

/** What a detector read of a window is written once, and lies beside the report: the report is written again with every label that comes. */
const save = (database: Kysely<Database>, model: string, window: MonitorWindow, concept: ConceptRecord | undefined) => sql<{ concept: ConceptRecord | null }>`
  insert into monitor_windows (model, version, window_number, from_at, to_at, rows, labelled, report, concept)
  values (${model}, ${window.version}, ${window.window}, ${window.from}, ${window.to}, ${window.rows}, ${window.labelled}, ${asJson(window)}::jsonb,
    ${concept === undefined ? null : asJson(concept)}::jsonb)
  on conflict (model, version, window_number) do update set rows = excluded.rows, labelled = excluded.labelled, report = excluded.report,
    updated_at = now(), labels_judged_at = monitor_windows.labels_asked_at, concept = coalesce(monitor_windows.concept, excluded.concept)
  returning concept`.execute(database);

/**
 * Windows judged this recently are given again: a label may be committed a moment after its time stamp, and a judgement may have
 * been lost with its worker after it was saved; the monitor is then told once more, and knows what it has been told.
 */
const LOOK_BACK = '5 minutes';

/**
 * Which window a label belongs to is known only to the prediction log, so a window is asked about when any label of the model
 * came since its labels were last judged; the one judged longest ago comes first, so that none is left out for ever.
 * The time of asking becomes the time of judging only when the judgement is saved: a crash between loses nothing.
 */
const takeAwaiting = (database: Kysely<Database>, model: string, version: number, limit: number) => sql<{ window_number: number }>`
  update monitor_windows set labels_asked_at = now()
  where model = ${model} and version = ${version} and window_number in (
    select window_number from monitor_windows
    where model = ${model} and version = ${version} and labelled < rows
      and (select max(received_at) from labels where model = ${model}) > coalesce(labels_judged_at - ${LOOK_BACK}::interval, '-infinity')
    order by labels_judged_at nulls first, window_number limit ${limit})
  returning window_number`.execute(database);

/** Monitor windows on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createMonitorWindows = (database: Kysely<Database>): MonitorWindows => ({
  save: async (model, window, { histograms, concept } = {}) => {
    if (histograms !== undefined) await askDatabase(() => saveHistograms(database, { model, window, histograms }));
    const { rows } = await askDatabase(() => save(database, model, window, concept));
    return rows[0]?.concept ?? undefined;
  },
  concept: async (model, version, window) => {
    const query = database.selectFrom('monitor_windows').select('concept').where('model', '=', model).where('version', '=', version).where('window_number', '=', window);
    const row = await askDatabase(() => query.executeTakeFirst());
    return (row?.concept ?? undefined) as ConceptRecord | undefined;
  },
  nextUnread: async (model, version) => {
    const query = database
      .selectFrom('monitor_windows')
      .select(['window_number', 'rows', 'labelled', 'to_at'])
      .where('model', '=', model)
      .where('version', '=', version)
      .where('concept', 'is', null)
      .orderBy('window_number')
      .limit(1);
    const row = await askDatabase(() => query.executeTakeFirst());
    return row === undefined ? undefined : { window: row.window_number, rows: row.rows, labelled: row.labelled, to: row.to_at.toISOString() };
  },
  recordDecision: async (model, version, window, decision) => {
    await askDatabase(() =>
      database
        .updateTable('monitor_windows')
        .set({ decision })
        .where('model', '=', model)
        .where('version', '=', version)
        .where('window_number', '=', window)
        .execute(),
    );
  },
  awaitingLabels: async (model, version, limit) => {
    const { rows } = await askDatabase(() => takeAwaiting(database, model, version, limit));
    return rows.map((row) => row.window_number).sort((left, right) => left - right);
  },
});
