/** Roles are sets of permissions; a route without a policy cannot be made. */
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { installGuard } from '../../../api/http/guard.ts';
import { ROLES } from '../../../contracts/roles.ts';
import { isAllowed, PERMISSIONS, rolesWith } from '../../../domain/permissions.ts';

describe('permissions', () => {
  it('are exactly these', () => {
    const table = Object.fromEntries(ROLES.map((role) => [role, PERMISSIONS.filter((permission) => isAllowed(role, permission))]));
    expect(table).toEqual({
      viewer: ['read'],
      author: ['read', 'pipelines:write', 'runs:write', 'events:write', 'alerts:write', 'tracking:write', 'aliases:write'],
      approver: ['read', 'runs:approve', 'alerts:write', 'aliases:write', 'champion:write'],
      operator: ['read', 'runs:write', 'rollouts:write', 'labels:write', 'events:write', 'alerts:write', 'silences:write', 'tracking:write', 'aliases:write'],
      predictor: ['labels:write'],
      admin: [...PERMISSIONS],
    });
  });
  it('each have an admin', () => {
    for (const permission of PERMISSIONS) expect(rolesWith(permission)).toContain('admin');
  });
});

describe('the guard', () => {
  it('refuses a route without a policy when it is registered', () => {
    const app = fastify();
    installGuard(app, { find: async () => undefined, forget: () => undefined });
    expect(() => app.get('/forgotten', async () => 'x')).toThrow(/GET \/forgotten has no policy/);
  });
});
