/** Drafts of checks hold for the version that they come from. */
import { expect, it } from 'vitest';
import { DataCheck } from '../../../contracts/data-check.ts';
import type { DatasetManifest } from '../../../contracts/dataset.ts';
import type { ColumnProfile } from '../../../contracts/dataset-profile.ts';
import { inferChecks } from '../../../domain/inferred-checks.ts';

const numbers = (column: string, minimum: number, maximum: number, changes: Partial<ColumnProfile> = {}): ColumnProfile => ({
  column,
  kind: 'number',
  count: 200,
  nulls: 0,
  distinct: 200,
  top: [],
  numbers: { minimum, maximum, mean: null, notFinite: 0, quantiles: [], histogram: { edges: [maximum], counts: [200] } },
  ...changes,
});

it('has types, nulls, limits and sets, with limits that can be read', () => {
  const profile = [numbers('price', 1.2345, 98.765), numbers('loss', -0.0123, 0, { nulls: 3 }), { ...numbers('kind', 0, 0), kind: 'text' as const, numbers: null, distinct: 2, top: [{ value: 'a', count: 150 }, { value: 'b', count: 50 }] }];
  const table = { name: 't', format: 'csv' as const, rows: 200, columns: profile.map(({ column, nulls }, index) => ({ name: column, type: index < 2 ? 'DOUBLE' : 'VARCHAR', nulls })), files: [], profile };
  const checks = inferChecks({ tables: [table] } as unknown as DatasetManifest);
  expect(checks.map((check) => DataCheck.safeParse(check).success)).not.toContain(false);
  expect(checks).toEqual([
    { kind: 'rowCount', table: 't', min: 100 },
    { kind: 'columns', table: 't', required: ['price', 'loss', 'kind'] },
    { kind: 'type', table: 't', column: 'price', type: 'number' },
    { kind: 'notNull', table: 't', column: 'price' },
    { kind: 'range', table: 't', column: 'price', min: 1.2, max: 99, severity: 'warn' },
    { kind: 'type', table: 't', column: 'loss', type: 'number' },
    { kind: 'range', table: 't', column: 'loss', min: -0.013, max: 0, severity: 'warn' },
    { kind: 'type', table: 't', column: 'kind', type: 'string' },
    { kind: 'notNull', table: 't', column: 'kind' },
    { kind: 'set', table: 't', column: 'kind', values: ['a', 'b'], severity: 'warn' },
  ]);
});
