/** Fills Perennial's database with the runs that peers/seed_mlflow.py makes for MLflow: 20 metrics each, one param. */
import type { Pool } from 'pg';

const METRICS = 20;
const START_MS = 1_700_000_000_000;
const CHUNK = 5_000;

const VALUE = `((n * 7919 + m * 104729) % 10007) / 10007.0::float8`;
const RUN_ID = `lpad(to_hex(n), 32, '0')`;
const NUMBERS = 'generate_series($1::bigint, $2::bigint) as n';

/** Adds the runs from number `from` to before `to`. */
export const addRuns = async (pool: Pick<Pool, 'query'>, experiment: string, from: number, to: number): Promise<void> => {
  for (let first = from; first < to; first += CHUNK) {
    const range = [first, Math.min(first + CHUNK, to) - 1];
    await pool.query(
      `insert into tracked_runs (run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri)
        select ${RUN_ID}, $3, 'run-' || n, 'bench', 'FINISHED', ${START_MS} + n, ${START_MS} + n, 'x' from ${NUMBERS}`,
      [...range, experiment],
    );
    for (const table of ['metric_points', 'latest_metrics']) {
      await pool.query(`insert into ${table} (run_id, key, step, timestamp_ms, value) select ${RUN_ID}, 'm' || m, 0, ${START_MS}, ${VALUE} from ${NUMBERS}, generate_series(0, ${METRICS - 1}) as m`, range);
    }
    await pool.query(`insert into run_params (run_id, key, value) select ${RUN_ID}, 'model', case when n % 3 = 0 then 'tree' else 'line' end from ${NUMBERS}`, range);
    await pool.query(`insert into run_tags (run_id, key, value) select ${RUN_ID}, 'mlflow.runName', 'run-' || n from ${NUMBERS}`, range);
  }
  await pool.query('analyze');
};
