/**
 * The gateway's link to the control plane: lease, deployments, acknowledgements, keys, counters, used resources. Each part is repeated and survives an
 * outage by trying again; what could not be told stays until it is told.
 */
import type { Logger } from 'pino';
import type { ServingCounters, ServingResources } from '../contracts/deployment.ts';
import { GATEWAY_LEASE_MS, GATEWAY_LEASE_RENEWAL_MS } from '../contracts/queues.ts';
import type { GatewayControl } from '../domain/ports/deployments.ts';
import type { Access } from './access.ts';
import type { CounterBook, ShadowBook } from './counters.ts';
import type { DeploymentTable } from './deployment-table.ts';
import type { HostAccount } from './host-account.ts';
import type { Reconciler } from './reconciler.ts';
import type { RefusalBook } from './refusals.ts';
import { repeat } from './repeat.ts';
import type { StateFolder, StoredKey } from './state-folder.ts';

const POLL_MS = 1_000;
const KEYS_MS = 2_000;
const COUNTERS_MS = 500;
const RESOURCES_MS = 5_000;
/** Without a word from the database for this long, it counts as unreachable. */
const SILENCE_MS = 3_000;
/** Longest time that the end of the process waits for the database. */
const FAREWELL_MS = 2_000;

/** GatewayControl and the list of API keys, which the same database holds. */
export type ControlPlane = GatewayControl & { apiKeys(): Promise<StoredKey[]> };

export type LinkParts = {
  control: ControlPlane;
  identity: { gatewayId: string; incarnation: string; url: string };
  reconciler: Reconciler;
  table: DeploymentTable;
  access: Access;
  counters: CounterBook;
  shadows: ShadowBook;
  refusals: RefusalBook;
  account: HostAccount;
  state: StateFolder;
  log: Logger;
};

export type ControlLink = {
  /** Resolves after the first question for the deployments: whether it was answered. */
  asked: Promise<boolean>;
  /** True when the deployments were read from the database at least once. */
  isKnown(): boolean;
  /** Since when the database has been silent; undefined while it answers. */
  silentSince(): Date | undefined;
  /** Ends all repetition, writes the last counters and gives the lease back, as far as the database answers. */
  close(): Promise<void>;
};

const createContact = (log: Logger) => {
  let lastAt = Date.now();
  let isLost = false;
  const silentSince = (): Date | undefined => (Date.now() - lastAt > SILENCE_MS ? new Date(lastAt) : undefined);
  /** Does something with the database, and says in the log when that begins and ends to fail. */
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isLost) log.warn(`the control plane does not answer: ${(error as Error).message}`);
      isLost = true;
      return false;
    }
  };
  /** The same for work that always asks the database: its success is the proof that it answers. */
  const prove = async (work: () => Promise<unknown>): Promise<void> => {
    if (!(await attempt(work))) return;
    lastAt = Date.now();
    if (isLost) log.info('the database answers again');
    isLost = false;
  };
  return { attempt, prove, silentSince };
};

const bounded = (work: Promise<unknown>, ms: number): Promise<unknown> => Promise.race([work.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, ms).unref())]);

const refreshKeys = async ({ control, access, state, log }: LinkParts): Promise<void> => {
  const keys = await control.apiKeys();
  if (!access.replace(keys)) return;
  await state.writeKeys(keys).catch((error: unknown) => log.error({ err: error }, 'the API key hashes could not be kept on the disk'));
};

const tellAcknowledgements = async ({ control, identity, reconciler }: LinkParts): Promise<void> => {
  for (const acknowledgement of reconciler.acknowledgements()) {
    await control.acknowledge({ gatewayId: identity.gatewayId, incarnation: identity.incarnation, ...acknowledgement });
    reconciler.told(acknowledgement);
  }
};

/** Opens the link; nothing of it throws. */
export const openControlLink = (parts: LinkParts): ControlLink => {
  const { control, identity, reconciler, counters, shadows, refusals, account, table } = parts;
  const contact = createContact(parts.log);
  let isKnown = false;
  let haveAsked = (_isAnswered: boolean): void => undefined;
  const asked = new Promise<boolean>((resolve) => (haveAsked = resolve));
  const writeCounters = (changed: ServingCounters[]): Promise<void> => control.writeCounters(identity, changed);
  const writeResources = (changed: ServingResources[]): Promise<void> => control.writeResources(identity, changed);
  const isServed = (model: string, generation: number): boolean => table.get(model)?.snapshot.generation === generation;
  const writeAll = async (): Promise<void> => {
    await counters.flush(writeCounters, isServed);
    await shadows.flush((changed) => control.writeShadows(identity, changed), isServed);
    await refusals.flush((changed) => control.writeRefusals(identity, changed));
  };

  const poll = repeat(POLL_MS, async () => {
    await contact.prove(async () => {
      const snapshots = await control.snapshots();
      isKnown = true;
      // Loading takes its time: the next poll must not wait for it, because it may bring the rollback.
      void reconciler.reconcile(snapshots).then(() => acknowledge.wake());
    });
    haveAsked(isKnown);
  });
  const lease = repeat(GATEWAY_LEASE_RENEWAL_MS, () => contact.prove(() => control.renewLease({ ...identity, leaseMs: GATEWAY_LEASE_MS })));
  const keys = repeat(KEYS_MS, () => contact.prove(() => refreshKeys(parts)));
  const acknowledge = repeat(POLL_MS, async () => void (await contact.attempt(() => tellAcknowledgements(parts))));
  const flush = repeat(COUNTERS_MS, async () => void (await contact.attempt(writeAll)));
  const resources = repeat(RESOURCES_MS, async () => {
    account.look();
    await contact.attempt(() => account.flush(writeResources));
  });
  const listening = control.listen(() => poll.wake());

  const farewell = async (): Promise<void> => {
    await Promise.all([poll, acknowledge, lease, keys, flush, resources].map((task) => task.stop()));
    account.look();
    await Promise.all([writeAll(), account.flush(writeResources)]);
    await control.renewLease({ ...identity, leaseMs: 0 });
  };
  const close = async (): Promise<void> => {
    await bounded(farewell(), FAREWELL_MS);
    await bounded(listening.then((stop) => stop()), FAREWELL_MS);
  };
  return { asked, isKnown: () => isKnown, silentSince: contact.silentSince, close };
};
