import { describe, expect, it } from 'vitest';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import type { ModelRegistry } from '../../../domain/ports/model-registry.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { registration } from '../../support/fakes.ts';

let test: TestDatabase;
let registry: ModelRegistry;

databasePerTest((fresh) => {
  test = fresh;
  registry = createModelRegistry(test.database);
});

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('registration', () => {
  it('numbers 12 at once from 1 to 12, none twice and none left out', async () => {
    const versions = await Promise.all(range(12).map((index) => registry.registerVersion(registration(`flights.r${index}`))));
    expect(versions.map((version) => version.version).sort((left, right) => left - right)).toEqual(range(12));
    const challenger = await registry.alias('flights', 'challenger');
    const moves = await test.database.selectFrom('model_alias_moves').selectAll().orderBy('id').execute();
    expect(moves).toHaveLength(12);
    expect(moves.at(-1)?.to_version).toBe(challenger);
    expect(moves.slice(1).map((move) => move.from_version)).toEqual(moves.slice(0, -1).map((move) => move.to_version));
  });

  it('of one run is one version, also when both attempts run at once', async () => {
    const answers = await Promise.all(range(8).map(() => registry.registerVersion(registration('flights.r1'))));
    expect(new Set(answers.map((answer) => answer.version))).toEqual(new Set([1]));
    expect(await test.database.selectFrom('model_versions').selectAll().execute()).toHaveLength(1);
    await registry.registerVersion(registration('flights.r2'));
    await registry.registerVersion(registration('flights.r1'));
    expect(await registry.alias('flights', 'challenger')).toBe(2);
  });

  it('counts each model by itself and gives back what it was given', async () => {
    await registry.registerVersion(registration('flights.r1'));
    const other = registration('taxis.r1', 'taxis');
    expect(await registry.registerVersion(other)).toEqual({ model: 'taxis', version: 1 });
    expect(await registry.version('taxis', 1)).toMatchObject({
      runId: 'taxis.r1',
      artifact: other.trained.model,
      signature: other.signature,
      evaluation: other.evaluation,
      lineage: other.lineage,
    });
    expect(await registry.version('taxis', 2)).toBeUndefined();
    expect(await registry.alias('taxis', 'champion')).toBeUndefined();
  });
});
