/** Who may send inference requests. Keys are known by their hash alone, from the database or, when that is down, from the disk. */
import { createHash } from 'node:crypto';
import { ROLES, type Role } from '../contracts/roles.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { StoredKey } from './state-folder.ts';

/** Everything at the gateway but health and metrics asks for one of these; `read` is the metadata of models. */
export type GatewayPermission = 'infer' | 'read';

const MAY_INFER: ReadonlySet<Role> = new Set<Role>(['predictor', 'operator', 'author', 'admin']);

export type Access = {
  /** Replaces all keys; true when they are not the same as before. */
  replace(keys: StoredKey[]): boolean;
  /** False until the first list of keys has come: nobody can be told yet that a key is wrong. */
  isKnown(): boolean;
  /**
   * Resolves when the first list of keys has come.
   * @throws PerennialFailure ModelUnavailable when none comes in time
   */
  known(): Promise<void>;
  /**
   * Checks the Authorization header.
   * @throws PerennialFailure Unauthenticated or PermissionDenied
   */
  check(authorization: string | undefined, permission: GatewayPermission): void;
};

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/** How long the first requests of a gateway's first start wait for the keys. */
const WAIT_MS = 20_000;

export const createAccess = ({ waitMs = WAIT_MS }: { waitMs?: number } = {}): Access => {
  let isKnown = false;
  let becomeKnown = (): void => undefined;
  const known = new Promise<void>((resolve) => (becomeKnown = resolve));
  let keys: StoredKey[] = [];
  let roleByHash = new Map<string, Role>();
  // Only headers that were found valid are remembered: there are no more of them than keys.
  let roleByHeader = new Map<string, Role>();
  const roleOf = (authorization: string): Role | undefined => {
    const known = roleByHeader.get(authorization);
    if (known !== undefined) return known;
    const key = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization)?.[1];
    const role = key === undefined ? undefined : roleByHash.get(createHash('sha256').update(key).digest('hex'));
    if (role !== undefined) roleByHeader.set(authorization, role);
    return role;
  };
  return {
    isKnown: () => isKnown,
    known: async () => {
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new PerennialFailure('ModelUnavailable', 'The API keys are not known at this gateway yet.')), waitMs);
      });
      await Promise.race([known, tooLate]).finally(() => clearTimeout(timer));
    },
    replace: (next) => {
      isKnown = true;
      becomeKnown();
      if (JSON.stringify(next) === JSON.stringify(keys)) return false;
      keys = next;
      roleByHash = new Map(next.flatMap(({ keyHash, role }) => (isRole(role) ? [[keyHash, role] as const] : [])));
      roleByHeader = new Map();
      return true;
    },
    check: (authorization, permission) => {
      const role = authorization === undefined ? undefined : roleOf(authorization);
      if (role === undefined) throw new PerennialFailure('Unauthenticated', 'A valid API key is needed: send the header "Authorization: Bearer perennial_…".');
      if (permission === 'infer' && !MAY_INFER.has(role)) throw new PerennialFailure('PermissionDenied', `The role ${role} may not send inference requests.`);
    },
  };
};
