/** What the conditions of alerts are judged by, from the rows of monitor windows. */
import { sql, type Kysely } from 'kysely';
import type { MonitorWindow } from '../../contracts/monitor.ts';
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
  newestWindows: (input) => askDatabase(() => readWindows(database, input)),
});
