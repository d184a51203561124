/** Rows put straight into the database: more of them, and worse texts in them, than the API would ever take. */
import { connectDatabase } from '../../adapters/postgres/client.ts';
import { sql } from 'kysely';

type Connected = ReturnType<typeof connectDatabase>['database'];

const STEPS = ['ingest', 'check', 'features', 'train', 'evaluate', 'gate', 'register', 'rollout'];

const withDatabase = async <T>(url: string, work: (database: Connected) => Promise<T>): Promise<T> => {
  const { database } = connectDatabase(url, { connections: 2 });
  try {
    return await work(database);
  } finally {
    await database.destroy();
  }
};

/** `count` ended runs of one pipeline, each with its eight steps. */
export const insertManyRuns = (url: string, { pipeline, count }: { pipeline: string; count: number }): Promise<void> =>
  withDatabase(url, async (database) => {
    await sql`
      insert into runs (run_id, pipeline, pipeline_version, model, workflow_id, trigger, state, started_at, finished_at, settlement_checked_at)
      select ${pipeline} || '.' || md5(n::text), ${pipeline}, 1, ${pipeline}, 'run/' || ${pipeline} || '/' || n, '{"kind":"schedule","id":"t","reason":"every minute"}',
        case when n % 17 = 0 then 'failed' else 'succeeded' end, now() - interval '200 days' + n * interval '1 minute', now() - interval '200 days' + n * interval '1 minute' + interval '40 seconds', now()
      from generate_series(1, ${count}) n`.execute(database);
    await sql`
      insert into run_steps (run_id, step, position, pool, state, attempts, started_at, finished_at)
      select r.run_id, s.step, s.position - 1, 'cpu', 'succeeded', 1, r.started_at + s.position * interval '4 seconds', r.started_at + s.position * interval '5 seconds'
      from runs r cross join unnest(${sql.val(STEPS)}::text[]) with ordinality as s(step, position) where r.pipeline = ${pipeline}`.execute(database);
  });

/** One failed run, one alert, one trigger and one entry of the audit per text, which stands in every field that is shown. */
export const insertHostileRows = (url: string, texts: readonly string[]): Promise<string[]> =>
  withDatabase(url, async (database) => {
    const runIds: string[] = [];
    for (const [index, text] of texts.entries()) {
      const runId = `hostile.${index}`;
      const failure = JSON.stringify({ code: text, message: text, fix: text, logTail: [text] });
      await sql`insert into runs (run_id, pipeline, pipeline_version, model, workflow_id, trigger, state, failure, outcome, started_at, finished_at, settlement_checked_at)
        values (${runId}, ${text}, 1, ${text}, ${text}, ${JSON.stringify({ kind: text, id: text, reason: text })}, 'failed', ${failure}, null, now(), now(), now())`.execute(database);
      await sql`insert into run_steps (run_id, step, position, pool, state, attempts, input, output, failure, started_at, finished_at)
        values (${runId}, ${text}, 0, ${text}, 'failed', 1, ${JSON.stringify({ [text]: text })}, ${JSON.stringify({ gates: [{ gate: text, passed: false, reason: text }] })}, ${failure}, now(), now())`.execute(database);
      await sql`insert into registered_models (name) values (${text})`.execute(database);
      await sql`insert into alerts (alert_id, model, kind, subject, pipeline, labels, state, reason, occurrences, opened_by, opened_at, revision)
        values (gen_random_uuid()::text, ${text}, ${text}, ${text}, ${text}, '{}', 'open', ${text}, 2, ${text}, now(), 1)`.execute(database);
      await sql`insert into audit (actor, action, subject, detail) values (${text}, ${text}, ${text}, ${JSON.stringify({ role: text, [text]: text })})`.execute(database);
      runIds.push(runId);
    }
    return runIds;
  });
