/**
 * Sticky weighted routing: which role of a deployment answers a request. Pure, so that a test, a gateway and another gateway
 * give the same answer for the same key.
 */
import type { ServingRole, TrafficSplit } from '../contracts/deployment.ts';

const mixBlock = (hash: number, block: number): number => {
  let part = Math.imul(block, 0xcc9e2d51);
  part = (part << 15) | (part >>> 17);
  const mixed = hash ^ Math.imul(part, 0x1b873593);
  return Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
};

const finish = (hash: number): number => {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** MurmurHash3 (32 bits) over UTF-16 code units; the length of each part goes in, so that ("ab", "c") is not ("a", "bc"). */
const hashOf = (salt: string, key: string): number => {
  let hash = 0;
  for (let index = 0; index < salt.length; index += 1) hash = mixBlock(hash, salt.charCodeAt(index));
  hash = mixBlock(hash, salt.length);
  for (let index = 0; index < key.length; index += 1) hash = mixBlock(hash, key.charCodeAt(index));
  return finish(hash ^ key.length);
};

/** Place of a key in [0, 100), uniform over keys and independent between salts. */
export const bucketOf = (salt: string, key: string): number => (hashOf(salt, key) / 4_294_967_296) * 100;

/**
 * The role that answers a request with this sticky key; null when nothing is deployed.
 * A weight of 0 gives the canary no request at all and 100 gives it every one. While the weight grows and the salt stays, a key that is on
 * the canary stays there. A first deployment has no stable version: a canary with any weight then answers everything, because
 * there is nothing else that could.
 */
export const pick = (split: TrafficSplit, salt: string, key: string): ServingRole | null => {
  if (split.canary === null || split.canaryWeight <= 0) return split.stable === null ? null : 'stable';
  if (split.stable === null) return 'canary';
  return bucketOf(salt, key) < split.canaryWeight ? 'canary' : 'stable';
};
