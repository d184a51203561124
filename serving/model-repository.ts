/**
 * The model repository extension of V2. Which versions a gateway serves is decided by deployments, which only rollouts change: the index tells what there is,
 * `load` confirms a model that is deployed, and `unload` is refused.
 */
import { PerennialFailure } from '../domain/failure.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import { variantsOf, type DeploymentTable } from './deployment-table.ts';
import type { Reconciler } from './reconciler.ts';

export type RepositoryEntry = { name: string; version: string; state: 'READY' | 'LOADING' | 'UNAVAILABLE'; reason: string };

export type RepositoryParts = { table: DeploymentTable; wanted: Reconciler['wanted']; lookup: Pick<DeploymentLookup, 'find' | 'now'> };

type Wanted = ReturnType<Reconciler['wanted']>[number];

const servedEntries = (table: DeploymentTable): RepositoryEntry[] =>
  table.all().flatMap((deployment) =>
    variantsOf(deployment).map(({ model, version, host }) => {
      const isUp = host.pid !== undefined;
      return { name: model, version: String(version), state: isUp ? 'READY' : 'LOADING', reason: isUp ? '' : 'its process is being started again' };
    }),
  );

const wantedEntries = ({ snapshot: { model, split }, state }: Wanted): RepositoryEntry[] =>
  [split.stable, split.canary].flatMap((version) => {
    if (version === null) return [];
    const hasFailed = state === 'failed';
    return { name: model, version: String(version), state: hasFailed ? 'UNAVAILABLE' : 'LOADING', reason: hasFailed ? 'it cannot be loaded at this gateway; see the deployment' : '' };
  });

/** Every version that is served or wanted here, by name. */
export const repositoryIndex = ({ table, wanted }: RepositoryParts, { isReadyOnly }: { isReadyOnly: boolean }): RepositoryEntry[] => {
  const served = servedEntries(table);
  const known = new Set(served.map(({ name, version }) => `${name}/${version}`));
  const entries = [...served, ...wanted().flatMap(wantedEntries).filter(({ name, version }) => !known.has(`${name}/${version}`))];
  const shown = isReadyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
  return shown.sort((first, second) => first.name.localeCompare(second.name) || Number(first.version) - Number(second.version));
};

const managed = (what: string): PerennialFailure => new PerennialFailure('ManagedByRollouts', `${what}: which versions are served is decided by the deployment of the model, and a rollout changes it.`);

/**
 * Resolves when the model is loaded, which it is by its deployment and not by this call.
 * @throws PerennialFailure ModelNotFound where nobody deployed it, ModelUnavailable, or ManagedByRollouts where the client brings a model of its own
 */
export const confirmLoaded = async ({ lookup }: RepositoryParts, model: string, { hasParameters }: { hasParameters: boolean }): Promise<void> => {
  if (hasParameters) throw managed('A configuration or files cannot be given when a model is loaded');
  await lookup.find(model);
};

/** @throws PerennialFailure always: ModelNotFound, ModelUnavailable or ManagedByRollouts */
export const refuseUnload = ({ lookup }: RepositoryParts, model: string): never => {
  lookup.now(model);
  throw managed(`${model} cannot be unloaded by this call`);
};
