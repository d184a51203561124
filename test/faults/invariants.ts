/**
 * The checker of the fault suite. It reads only PostgreSQL, the artifact store and Temporal histories, and knows nothing of
 * what the trial did but two lists that the client kept: the runs that were accepted and the inferences that were answered.
 */
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { ArtifactRef } from '../../contracts/artifact.ts';
import { workflowIdOfRunId } from '../../contracts/ids.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { inferenceIdsOf } from './prediction-store.ts';

export type Evidence = { acceptedRuns: string[]; answeredInferences: string[]; models: string[] };
export type CheckerSystems = { pool: pg.Pool; artifacts: ArtifactStore; temporal: Client };
export type Violation = { invariant: string; what: string };

type Check = (systems: CheckerSystems, evidence: Evidence) => Promise<Violation[]>;

const rows = async <T>(pool: pg.Pool, text: string, values: unknown[] = []): Promise<T[]> => (await pool.query(text, values)).rows as T[];

const TERMINAL_ROWS = new Set(['succeeded', 'rejected', 'rolledBack', 'failed', 'cancelled', 'terminated']);

/** I1: every accepted run is at an end, in Temporal and in its row. */
const acceptedRunsEnd: Check = async ({ pool, temporal }, { acceptedRuns }) => {
  const violations: Violation[] = [];
  for (const runId of acceptedRuns) {
    const description = await temporal.workflow.getHandle(workflowIdOfRunId(runId) ?? '').describe();
    if (description.status.name === 'RUNNING') violations.push({ invariant: 'I1', what: `${runId} is still running in Temporal` });
    const [row] = await rows<{ state: string }>(pool, 'select state from runs where run_id = $1', [runId]);
    if (row === undefined || !TERMINAL_ROWS.has(row.state)) violations.push({ invariant: 'I1', what: `${runId} has the row ${row?.state ?? 'absent'}` });
  }
  return violations;
};

/** I2: no promotion twice, one promotion per promoted rollout, generations that count by one. */
const promotionsOnce: Check = async ({ pool }, { models }) => {
  const violations: Violation[] = [];
  const twice = await rows<{ model: string; version: number; times: number }>(
    pool,
    'select model, version, count(*)::int as times from promotions where model = any($1) group by model, version, alias, request_id having count(*) > 1',
    [models],
  );
  for (const { model, version, times } of twice) violations.push({ invariant: 'I2', what: `${model} ${version} was promoted ${times} times by one request` });
  const unmatched = await rows<{ rollout_id: string; times: number }>(
    pool,
    `select r.rollout_id, count(p.id)::int as times from rollouts r left join promotions p on p.request_id = r.rollout_id || ':promote'
     where r.model = any($1) and r.outcome->>'kind' = 'promoted' group by r.rollout_id having count(p.id) <> 1`,
    [models],
  );
  for (const { rollout_id, times } of unmatched) violations.push({ invariant: 'I2', what: `${rollout_id} ended promoted with ${times} promotions` });
  const gaps = await rows<{ model: string; generation: string }>(
    pool,
    `select model, generation from (select model, generation, row_number() over (partition by model order by generation) as n from deployment_generations where model = any($1)) g
     where generation <> n`,
    [models],
  );
  for (const { model, generation } of gaps) violations.push({ invariant: 'I2', what: `generations of ${model} do not count by one at ${generation}` });
  return violations;
};

/** I3: every answered inference is in the prediction log. A repeated record is allowed (it is dropped by its id), a missing one is not. */
const answersAreLogged: Check = async (systems, { answeredInferences, models }) => {
  const logged = await inferenceIdsOf(systems, models);
  const missing = answeredInferences.filter((id) => !logged.has(id));
  return missing.length === 0 ? [] : [{ invariant: 'I3', what: `${missing.length} answered inferences are not in the log, such as ${missing[0]}` }];
};

/** I4: one champion per model that was ever promoted, and its bytes are the ones that were registered. */
const championIsSound: Check = async ({ pool, artifacts }, { models }) => {
  const violations: Violation[] = [];
  const champions = await rows<{ model: string; version: number; artifact: unknown; model_sha256: string }>(
    pool,
    `select a.model, a.version, v.artifact, v.model_sha256 from model_aliases a join model_versions v using (model, version)
     where a.alias = 'champion' and a.model = any($1)`,
    [models],
  );
  const promoted = await rows<{ model: string }>(pool, 'select distinct model from promotions where model = any($1)', [models]);
  for (const { model } of promoted) {
    const count = champions.filter((champion) => champion.model === model).length;
    if (count !== 1) violations.push({ invariant: 'I4', what: `${model} has ${count} champions` });
  }
  for (const { model, version, artifact, model_sha256 } of champions) {
    const reference = ArtifactRef.parse(artifact);
    if (reference.sha256 !== model_sha256) violations.push({ invariant: 'I4', what: `${model} ${version} names other bytes than it registered` });
    await artifacts.get(reference).catch((error: unknown) => violations.push({ invariant: 'I4', what: `${model} ${version}: ${String(error)}` }));
  }
  return violations;
};

/** I5: every split that ever was gives all requests to somebody, and the champion has all of them in the end. */
const splitsAreWhole: Check = async ({ pool }, { models }) => {
  const violations: Violation[] = [];
  const splits = await rows<{ model: string; generation: string; split: { stable: number | null; canary: number | null; canaryWeight: number } }>(
    pool,
    'select model, generation, split from deployment_generations where model = any($1)',
    [models],
  );
  for (const { model, generation, split } of splits) {
    const { stable, canary, canaryWeight } = split;
    const whole = canaryWeight >= 0 && canaryWeight <= 100 && (canaryWeight === 0 || canary !== null) && (canaryWeight === 100 || stable !== null || canary === null);
    if (!whole) violations.push({ invariant: 'I5', what: `${model} generation ${generation} is ${JSON.stringify(split)}` });
  }
  const final = await rows<{ model: string }>(
    pool,
    `select d.model from deployments d join model_aliases a on a.model = d.model and a.alias = 'champion'
     where d.model = any($1) and ((d.split->>'stable')::int is distinct from a.version or d.split->>'canary' is not null)`,
    [models],
  );
  for (const { model } of final) violations.push({ invariant: 'I5', what: `${model} does not serve its champion alone in the end` });
  return violations;
};

/** I8: every version leads back to its run, its features and its data, and all of those bytes are there. */
const lineageIsComplete: Check = async ({ pool, artifacts }, { models }) => {
  const violations: Violation[] = [];
  const versions = await rows<{ model: string; version: number; lineage: Record<string, unknown>; known: boolean }>(
    pool,
    `select v.model, v.version, v.lineage,
       exists (select 1 from runs r where r.run_id = v.run_id) and exists (select 1 from datasets d where d.version = v.lineage->>'datasetVersion')
       and exists (select 1 from feature_sets f where f.version = v.lineage->>'featureSetVersion') as known
     from model_versions v where v.model = any($1)`,
    [models],
  );
  for (const { model, version, lineage, known } of versions) {
    if (!known) violations.push({ invariant: 'I8', what: `${model} ${version} names a run, dataset or feature set without a row` });
    for (const key of ['datasetManifest', 'featureSetManifest']) {
      const reference = ArtifactRef.safeParse(lineage[key]);
      if (!reference.success || !(await artifacts.exists(reference.data))) violations.push({ invariant: 'I8', what: `${model} ${version}: ${key} is not in the store` });
    }
  }
  return violations;
};

const CHECKS: Check[] = [acceptedRunsEnd, promotionsOnce, answersAreLogged, championIsSound, splitsAreWhole, lineageIsComplete];

/** All violations; an empty list is a sound system. */
export const checkInvariants = async (systems: CheckerSystems, evidence: Evidence): Promise<Violation[]> => {
  const found = [];
  for (const check of CHECKS) found.push(...(await check(systems, evidence)));
  return found;
};
