/** Makes an applied deployment out of a snapshot and its loaded versions. */
import type { DeploymentSnapshot, ServingRole } from '../contracts/deployment.ts';
import { createInferenceReader } from '../domain/inference.ts';
import type { CounterBook, ShadowBook } from './counters.ts';
import type { AppliedDeployment, Variant } from './deployment-table.ts';
import type { VersionLine } from './log-record.ts';
import type { Metrics } from './metrics.ts';
import { createShadow } from './shadow.ts';
import type { Shadow } from './shadow-copy.ts';
import type { VersionHost } from './version-host.ts';

/** A batch of the only (or stable) version that runs longer has hung. */
const STABLE_RUN_LIMIT_MS = 10_000;
const SHORTEST_RUN_LIMIT_MS = 1_000;

/**
 * A late canary answer has fallen back already; its host gets a little longer before it is killed, because a batch holds more than one
 * request and starting hosts again and again costs more than waiting.
 */
const canaryRunLimitMs = (deadlineMs: number): number => Math.min(STABLE_RUN_LIMIT_MS, Math.max(SHORTEST_RUN_LIMIT_MS, 2 * deadlineMs));

type Parts = { counters: CounterBook; shadows: ShadowBook; metrics: Metrics };

const makeVariant = (snapshot: DeploymentSnapshot, { version, role, host }: { version: number; role: ServingRole; host: VersionHost }, parts: Parts): Variant => {
  const { model, generation } = snapshot;
  const { signature } = host.model;
  const line: VersionLine = { kind: 'version', model, version, inputs: signature.inputs, outputs: signature.outputs };
  return {
    model,
    version,
    role,
    generation,
    signature,
    reader: createInferenceReader(signature),
    host,
    counters: parts.counters.of({ model, version, generation, role }),
    metrics: parts.metrics.of(model, String(version), role),
    logHeader: JSON.stringify(line),
  };
};

const shadowOf = (snapshot: DeploymentSnapshot, stable: Variant | null, candidate: Variant | null, { shadows }: Parts): Shadow | null => {
  const { model, generation, shadow: settings, deadlineMs } = snapshot;
  if (settings === undefined || stable === null || candidate === null) return null;
  const counters = shadows.of({ model, version: candidate.version, generation, against: stable.version });
  return createShadow({ stable, candidate, settings, deadlineMs, counters });
};

/** @param hosts loaded hosts by version; a canary without one gets no traffic */
export const applyDeployment = (snapshot: DeploymentSnapshot, hosts: ReadonlyMap<number, VersionHost>, parts: Parts & { release: () => void }): AppliedDeployment => {
  const variantOf = (version: number | null, role: ServingRole): Variant | null => {
    const host = version === null ? undefined : hosts.get(version);
    return version === null || host === undefined ? null : makeVariant(snapshot, { version, role, host }, parts);
  };
  const stable = variantOf(snapshot.split.stable, 'stable');
  const canary = variantOf(snapshot.split.canary, 'canary');
  if (stable !== null) stable.host.runLimitMs = STABLE_RUN_LIMIT_MS;
  if (canary !== null) {
    canary.host.runLimitMs = stable === null ? STABLE_RUN_LIMIT_MS : canaryRunLimitMs(snapshot.deadlineMs);
    const isSameSignature = stable !== null && JSON.stringify(stable.signature.inputs) === JSON.stringify(canary.signature.inputs);
    if (isSameSignature) canary.reader = stable.reader;
  }
  const split = canary === null ? { ...snapshot.split, canary: null, canaryWeight: 0 } : snapshot.split;
  const shadow = shadowOf(snapshot, stable, canary, parts);
  const release = (): void => {
    shadow?.stop();
    parts.release();
  };
  return { snapshot, split, stable, canary, shadow, inFlight: 0, isSuperseded: false, release };
};
