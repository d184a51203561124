/**
 * Brings what this gateway serves to what the control plane wants: load, warm up, ready, and only then traffic.
 *
 * A generation is applied as a whole or not at all, and a newer one never waits for an older one to load, so that a
 * rollback is never behind a model that hangs.
 */
import type { Logger } from 'pino';
import type { DeploymentSnapshot, ServedVersion } from '../contracts/deployment.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { applyDeployment } from './apply-deployment.ts';
import type { CounterBook, ShadowBook } from './counters.ts';
import type { DeploymentTable } from './deployment-table.ts';
import type { Metrics } from './metrics.ts';
import type { StateFolder } from './state-folder.ts';
import type { VersionHost } from './version-host.ts';
import type { HostUse, VersionPool } from './version-pool.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

export type Acknowledgement = { model: string; generation: number; error: string | null };

export type Reconciler = {
  /** Looks at the wanted deployments; resolves when each of them was applied, or its attempt failed. */
  reconcile(snapshots: readonly DeploymentSnapshot[]): Promise<void>;
  /** True when every wanted model is served, or its first attempt is over. */
  isSettled(): boolean;
  /** How the last attempt for a model stands; undefined when nobody wants it. */
  stateOf(model: string): Target['state'] | undefined;
  /** Every deployment that the control plane wants, and how its last attempt stands. */
  wanted(): { snapshot: DeploymentSnapshot; state: Target['state'] }[];
  /** What the control plane has not been told yet; `told` takes it off the list. */
  acknowledgements(): Acknowledgement[];
  told(acknowledgement: Acknowledgement): void;
};

type Target = { snapshot: DeploymentSnapshot; attempts: number; state: 'loading' | 'applied' | 'failed'; retryAtMs: number };

/** Loaded hosts by version. */
type Hosts = ReadonlyMap<number, VersionHost>;

type Parts = { table: DeploymentTable; pool: VersionPool; counters: CounterBook; shadows: ShadowBook; metrics: Metrics; state: StateFolder; log: Logger; /** Called whenever a model was loaded or could not be, or became wanted. */ changed: () => void };

const namedVersions = ({ model, split, versions }: DeploymentSnapshot): ServedVersion[] =>
  [split.stable, split.canary].flatMap((named) => {
    if (named === null) return [];
    const found = versions.find(({ version }) => version === named);
    if (found === undefined) throw new PerennialFailure('ModelVersionNotFound', `version ${named} of ${model} is not registered`);
    return [found];
  });

/** A candidate in shadow must not take processor time from those who answer. */
const useOf = ({ shadow, split }: DeploymentSnapshot, { version }: ServedVersion): HostUse => ({ isBackground: shadow !== undefined && version === split.canary });

/** Loads all versions; on a failure `hosts` holds those that could be loaded, and the caller owns them. */
const loadVersions = async (pool: VersionPool, snapshot: DeploymentSnapshot, hosts: Map<number, VersionHost>): Promise<void> => {
  const loading = namedVersions(snapshot).map(async (version) => {
    hosts.set(version.version, await pool.acquire(snapshot.model, version, useOf(snapshot, version)));
  });
  const failed = (await Promise.allSettled(loading)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
};

const isOutage = (error: unknown): boolean => error instanceof PerennialFailure && error.retryable;

const createPersistence = ({ table, pool, state, log }: Parts, targets: ReadonlyMap<string, Target>): (() => Promise<void>) => {
  let last = Promise.resolve();
  const write = async (): Promise<void> => {
    const applied = table.all().map(({ snapshot }) => snapshot);
    const wanted = [...targets.values()].map(({ snapshot }) => snapshot);
    await state.writeDeployments(applied);
    const files = [...applied, ...wanted].flatMap(({ versions }) => versions.map(({ model }) => model.sha256));
    await state.keepOnly(new Set([...files, ...pool.hosts().map(({ model }) => model.sha256)]));
  };
  return () => {
    last = last.then(write).catch((error: unknown) => log.error({ err: error }, 'the deployments could not be kept on the disk'));
    return last;
  };
};

const releaseAll = (pool: VersionPool, snapshot: DeploymentSnapshot, hosts: Hosts): void =>
  snapshot.versions.filter(({ version }) => hosts.has(version)).forEach((version) => pool.release(snapshot.model, version, useOf(snapshot, version)));

/** From now on the loaded versions answer; the table releases them when they are superseded. */
const put = (parts: Parts, snapshot: DeploymentSnapshot, hosts: Hosts): void => {
  parts.table.put(applyDeployment(snapshot, hosts, { ...parts, release: () => releaseAll(parts.pool, snapshot, hosts) }));
  parts.changed();
};

/** Where nothing is served yet, stable answers everything as soon as it is loaded: a canary that cannot load must not keep it back. */
const serveStableFirst = async (parts: Parts, snapshot: DeploymentSnapshot, isSuperseded: () => boolean): Promise<void> => {
  const { model, split, versions } = snapshot;
  const stable = versions.find(({ version }) => version === split.stable);
  if (parts.table.get(model) !== undefined || stable === undefined || split.canary === null) return;
  const hosts = new Map([[stable.version, await parts.pool.acquire(model, stable)]]);
  if (parts.table.get(model) === undefined && !isSuperseded()) put(parts, snapshot, hosts);
  else releaseAll(parts.pool, snapshot, hosts);
};

export const createReconciler = (parts: Parts): Reconciler => {
  const { table, pool, log } = parts;
  const targets = new Map<string, Target>();
  const untold = new Map<string, Acknowledgement>();
  const persist = createPersistence(parts, targets);
  const acknowledge = ({ model, generation }: DeploymentSnapshot, error: string | null): void => {
    untold.set(model, { model, generation, error });
  };

  const fail = (target: Target, error: Error): void => {
    const { snapshot } = target;
    const mayPass = isOutage(error) || table.get(snapshot.model) === undefined;
    target.state = 'failed';
    target.retryAtMs = mayPass ? Date.now() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** target.attempts) : Infinity;
    if (!isOutage(error)) acknowledge(snapshot, error.message);
    parts.changed();
    log.warn({ model: snapshot.model, generation: snapshot.generation, retry: mayPass }, `the deployment could not be applied: ${error.message}`);
  };

  const attempt = async (target: Target): Promise<void> => {
    const { snapshot } = target;
    const hosts = new Map<number, VersionHost>();
    const isSuperseded = (): boolean => targets.get(snapshot.model) !== target;
    const [, loaded] = await Promise.allSettled([serveStableFirst(parts, snapshot, isSuperseded), loadVersions(pool, snapshot, hosts)]);
    if (isSuperseded() || loaded.status === 'rejected') {
      releaseAll(pool, snapshot, hosts);
      if (!isSuperseded() && loaded.status === 'rejected') fail(target, loaded.reason as Error);
      return;
    }
    put(parts, snapshot, hosts);
    target.state = 'applied';
    log.info({ model: snapshot.model, generation: snapshot.generation, split: snapshot.split }, 'deployment applied');
    await persist();
    acknowledge(snapshot, null);
  };

  const begin = async (snapshot: DeploymentSnapshot): Promise<void> => {
    const before = targets.get(snapshot.model);
    const isNewer = before === undefined || snapshot.generation > before.snapshot.generation;
    const isRetry = before !== undefined && snapshot.generation === before.snapshot.generation && before.state === 'failed' && Date.now() >= before.retryAtMs;
    if (!isNewer && !isRetry) return;
    const target: Target = { snapshot, attempts: isRetry ? before.attempts + 1 : 0, state: 'loading', retryAtMs: Infinity };
    targets.set(snapshot.model, target);
    await attempt(target);
  };

  return {
    reconcile: async (snapshots) => {
      const attempts = snapshots.map(begin);
      parts.changed();
      await Promise.all(attempts);
    },
    wanted: () => [...targets.values()].map(({ snapshot, state }) => ({ snapshot, state })),
    stateOf: (model) => targets.get(model)?.state,
    isSettled: () => [...targets.values()].every(({ state, snapshot }) => state !== 'loading' || table.get(snapshot.model) !== undefined),
    acknowledgements: () => [...untold.values()],
    told: (acknowledgement) => {
      if (untold.get(acknowledgement.model) === acknowledgement) untold.delete(acknowledgement.model);
    },
  };
};
