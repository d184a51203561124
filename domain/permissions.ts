/** Which role may do what: the one table that the API's guard asks. */
import type { Role } from '../contracts/roles.ts';

/** What a route can demand of a key. */
export const PERMISSIONS = ['read', 'pipelines:write', 'runs:write', 'runs:approve', 'rollouts:write', 'labels:write', 'events:write', 'alerts:write', 'silences:write', 'tracking:write', 'aliases:write', 'champion:write', 'keys:admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * - viewer sees everything but keys;
 * - author writes pipelines and runs them, and what its programs track: experiments, models, aliases;
 * - approver decides on runs that wait for a person, and sets aliases, `champion` among them, which no other role but admin does;
 * - operator runs, cancels, rolls out and rolls back, and silences alerts, but changes no pipeline;
 * - all three take care of alerts;
 * - predictor sends inference requests (at the gateway) and their labels, and sees nothing here;
 * - admin does everything, keys included.
 */
const TABLE: Record<Role, readonly Permission[]> = {
  viewer: ['read'],
  author: ['read', 'pipelines:write', 'runs:write', 'events:write', 'alerts:write', 'tracking:write', 'aliases:write'],
  approver: ['read', 'runs:approve', 'alerts:write', 'aliases:write', 'champion:write'],
  operator: ['read', 'runs:write', 'rollouts:write', 'labels:write', 'events:write', 'alerts:write', 'silences:write', 'tracking:write', 'aliases:write'],
  predictor: ['labels:write'],
  admin: PERMISSIONS,
};

export const isAllowed = (role: Role, permission: Permission): boolean => TABLE[role].includes(permission);

/** The roles that have a permission, for messages. */
export const rolesWith = (permission: Permission): Role[] => (Object.keys(TABLE) as Role[]).filter((role) => isAllowed(role, permission));
