/** What the conditions of alerts are judged by, from the rows of runs and monitor windows. */
import { sql, type Kysely } from 'kysely';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { RunState } from '../../contracts/run.ts';
import type { NewestWindows } from '../../domain/alerts.ts';
import type { AlertFacts } from '../../domain/ports/alerts.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

type Row = { report: MonitorWindow; window_number: number };

const readWindows = async (database: Kysely<Database>, { model, version, minimumLabels }: Parameters<AlertFacts['newestWindows']>[0]): Promise<NewestWindows> => {
  const windows = sql`select report, window_number, labelled >= least(${minimumLabels}::int, rows) as judged from monitor_windows where model = ${model} and version = ${version}`;
  const { rows: newest } = await sql<Row>`${windows} order by window_number desc limit 1`.execute(database);
  const { rows: judged } = await sql<Row>`select * from (${windows}) as windows where judged order by window_number desc limit 1`.execute(database);
  const { rows: counted } = await sql<{ count: number }>`
    select count(*)::int as count from (${windows}) as windows where window_number > ${judged[0]?.window_number ?? -1}`.execute(database);
  return { newest: newest[0]?.report ?? null, judged: judged[0]?.report ?? null, withoutLabels: counted[0]?.count ?? 0 };
};

/** Facts on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createAlertFacts = (database: Kysely<Database>): AlertFacts => ({
  runEnds: async (pipeline, limit) => {
    const rows = await askDatabase(() =>
      database
        .selectFrom('runs')
        .select('state')
        .where('pipeline', '=', pipeline)
        .where('finished_at', 'is not', null)
        .orderBy('started_at', 'desc')
        .orderBy('run_id')
        .limit(limit)
        .execute(),
    );
    return rows.map((row) => row.state as RunState);
  },
  newestWindows: (input) => askDatabase(() => readWindows(database, input)),
});
