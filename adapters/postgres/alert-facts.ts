/** What the conditions of alerts are judged by, from the rows of monitor windows. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { NewestWindows } from '../../domain/alerts.ts';
import type { AlertFacts } from '../../domain/ports/alerts.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

type Input = Parameters<AlertFacts['newestWindows']>[0];

/** What a detector of concept drift read of a window lies beside its report. */
const windowsOf = ({ model, version, minimumLabels }: Input) => sql`
  select report || jsonb_build_object('concept', concept->'report') as report, window_number, labelled >= least(${minimumLabels}::int, rows) as has_labels
  from monitor_windows where model = ${model} and version = ${version}`;

const readWindows = async (database: Kysely<Database>, input: Input): Promise<NewestWindows> => {
  const newestOf = async (condition: RawBuilder<unknown>): Promise<MonitorWindow | null> => {
    const windows = windowsOf(input);
    const { rows } = await sql<{ report: MonitorWindow }>`select report from (${windows}) as windows where ${condition} order by window_number desc limit 1`.execute(database);
    return rows[0]?.report ?? null;
  };
  const [newest, labelled, estimated] = await Promise.all([newestOf(sql`true`), newestOf(sql`has_labels`), newestOf(sql`not has_labels and report->>'judgedBy' = 'estimate'`)]);
  const before = labelled?.window ?? -1;
  return { newest, labelled, estimated: estimated !== null && estimated.window > before ? estimated : null, withoutLabels: newest === null ? 0 : newest.window - before };
};

/** Facts on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createAlertFacts = (database: Kysely<Database>): AlertFacts => ({
  newestWindows: (input) => askDatabase(() => readWindows(database, input)),
});
