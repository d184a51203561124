/** The gateway's side of the deployment tables. */
import { sql, type Kysely } from 'kysely';
import pg from 'pg';
import { DEPLOYMENT_CHANNEL, DeploymentSnapshot, type ServingCounters, type ServingResources } from '../../contracts/deployment.ts';
import type { GatewayControl } from '../../domain/ports/deployments.ts';
import { asJson, askDatabase } from './client.ts';
import { upsertRefusals } from './input-refusals.ts';
import type { Database } from './schema.ts';
import { upsertShadows } from './shadow-comparisons.ts';

const RECONNECT_MS = 1_000;

/** Hashes (sha256, hexadecimal) and roles of the keys that are not revoked. */
export type ApiKeyDirectory = { apiKeys(): Promise<{ keyHash: string; role: string }[]> };

type SnapshotRow = { model: string; generation: number; split: unknown; options: object; versions: unknown };

/** One statement, so that split and versions are of one moment. Generation 0 is a deployment that never took effect. */
const snapshotsOf = (known: readonly string[]) => sql<SnapshotRow>`
  select d.model, d.generation, d.split, d.options,
    coalesce(
      (select json_agg(json_build_object('version', v.version, 'model', v.artifact, 'signature', v.signature) order by v.version)
       from model_versions v
       where v.model = d.model and v.version in ((d.split->>'stable')::int, (d.split->>'canary')::int)), '[]') as versions
  from deployments d
  where d.generation > 0 and not (d.model || '@' || d.generation) = any(${known}::text[])
  order by d.model`;

const nameOf = ({ model, generation }: { model: string; generation: number }): string => `${model}@${generation}`;

/** Reads every deployment, but transfers only those that changed: signatures may be long and this is asked every second. */
const createSnapshotReader = (database: Kysely<Database>) => {
  let last = new Map<string, DeploymentSnapshot>();
  return async (): Promise<DeploymentSnapshot[]> => {
    const { rows } = await snapshotsOf([...last.values()].map(nameOf)).execute(database);
    const next = new Map(last);
    for (const { model, generation, split, options, versions } of rows) {
      next.set(model, DeploymentSnapshot.parse({ model, generation, split, ...options, versions }));
    }
    last = next;
    return [...next.values()];
  };
};

const upsertCounters = async (database: Kysely<Database>, gateway: { gatewayId: string; incarnation: string }, counters: ServingCounters[]): Promise<void> => {
  const rows = counters.map(({ latency, ...rest }) => ({ gateway_id: gateway.gatewayId, incarnation: gateway.incarnation, ...rest, latency: asJson(latency) }));
  await database
    .insertInto('serving_counters')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['gateway_id', 'incarnation', 'model', 'version', 'generation']).doUpdateSet({
        role: sql`excluded.role`,
        requests: sql`excluded.requests`,
        failures: sql`excluded.failures`,
        fallbacks: sql`excluded.fallbacks`,
        unlogged: sql`excluded.unlogged`,
        latency: sql`excluded.latency`,
        updated_at: sql`now()`,
      }),
    )
    .execute();
};

const upsertResources = async (database: Kysely<Database>, gateway: { gatewayId: string; incarnation: string }, resources: ServingResources[]): Promise<void> => {
  const rows = resources.map(({ model, version, day, cpuSeconds, memoryGibSeconds, peakMemoryBytes }) => ({
    gateway_id: gateway.gatewayId,
    incarnation: gateway.incarnation,
    model,
    version,
    day,
    cpu_seconds: cpuSeconds,
    memory_gib_seconds: memoryGibSeconds,
    peak_memory_bytes: peakMemoryBytes,
  }));
  await database
    .insertInto('serving_resources')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['gateway_id', 'incarnation', 'model', 'version', 'day']).doUpdateSet({
        cpu_seconds: sql`excluded.cpu_seconds`,
        memory_gib_seconds: sql`excluded.memory_gib_seconds`,
        peak_memory_bytes: sql`excluded.peak_memory_bytes`,
        updated_at: sql`now()`,
      }),
    )
    .execute();
};

/** Holds one connection on the channel and opens it again when it breaks; what is missed meanwhile is found by polling. */
const listen = async (url: string, onChange: (model: string) => void): Promise<() => Promise<void>> => {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const again = (failed: pg.Client): void => {
    if (failed !== client) return;
    client = undefined;
    failed.end().catch(() => undefined);
    if (!isStopped) timer = setTimeout(() => void open(), RECONNECT_MS);
  };
  const open = async (): Promise<void> => {
    const mine = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, keepAlive: true });
    client = mine;
    mine.on('error', () => again(mine));
    mine.on('end', () => again(mine));
    mine.on('notification', ({ payload }) => onChange(payload ?? ''));
    try {
      await mine.connect();
      await mine.query(`listen ${DEPLOYMENT_CHANNEL}`);
    } catch {
      again(mine);
    }
  };
  await open();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    const mine = client;
    client = undefined;
    await mine?.end().catch(() => undefined);
  };
};

/** GatewayControl on PostgreSQL. Every method but `listen` throws PostgresUnavailable in an outage. */
export const createGatewayControl = ({ database, url }: { database: Kysely<Database>; url: string }): GatewayControl & ApiKeyDirectory => {
  const readSnapshots = createSnapshotReader(database);
  return {
    renewLease: async ({ gatewayId, incarnation, url: address, leaseMs }) => {
      await askDatabase(() =>
        sql`insert into gateways (gateway_id, incarnation, url, lease_expires_at) values (${gatewayId}, ${incarnation}, ${address}, now() + ${`${leaseMs} milliseconds`}::interval)
          on conflict (gateway_id) do update set incarnation = excluded.incarnation, url = excluded.url, lease_expires_at = excluded.lease_expires_at,
            started_at = case when gateways.incarnation = excluded.incarnation then gateways.started_at else now() end`.execute(database),
      );
    },
    snapshots: () => askDatabase(readSnapshots),
    acknowledge: async ({ gatewayId, incarnation, model, generation, error }) => {
      const row = { gateway_id: gatewayId, incarnation, model, generation, error };
      await askDatabase(() =>
        database
          .insertInto('gateway_acknowledgements')
          .values(row)
          .onConflict((conflict) => conflict.columns(['gateway_id', 'model', 'generation']).doUpdateSet({ incarnation, error, at: sql<Date>`now()` }))
          .execute(),
      );
    },
    writeCounters: (gateway, counters) => (counters.length === 0 ? Promise.resolve() : askDatabase(() => upsertCounters(database, gateway, counters))),
    writeShadows: (gateway, shadows) => (shadows.length === 0 ? Promise.resolve() : askDatabase(() => upsertShadows(database, gateway, shadows))),
    writeRefusals: (gateway, refusals) => (refusals.length === 0 ? Promise.resolve() : askDatabase(() => upsertRefusals(database, gateway, refusals))),
    writeResources: (gateway, resources) => (resources.length === 0 ? Promise.resolve() : askDatabase(() => upsertResources(database, gateway, resources))),
    recordSegment: async ({ segmentId, gatewayId, model, artifact, rows, rowsByVersion, firstAt, lastAt }) => {
      const row = { segment_id: segmentId, gateway_id: gatewayId, model, artifact: asJson(artifact), rows, rows_by_version: asJson(rowsByVersion), first_at: firstAt, last_at: lastAt };
      await askDatabase(() => database.insertInto('prediction_segments').values(row).onConflict((conflict) => conflict.column('segment_id').doNothing()).execute());
    },
    listen: (onChange) => listen(url, onChange),
    apiKeys: () =>
      askDatabase(async () => {
        const rows = await database.selectFrom('api_keys').select(['key_hash', 'role']).where('revoked_at', 'is', null).orderBy('key_hash').execute();
        return rows.map((row) => ({ keyHash: row.key_hash, role: row.role }));
      }),
  };
};
