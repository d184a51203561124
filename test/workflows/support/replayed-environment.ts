/** The hooks of a file of workflow tests: one environment for the file, and every history that a test made is replayed at its end. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { startEnvironment, type Environment } from './environment.ts';

/** Registers the hooks; `use` gets the environment before the first test. */
export const replayedEnvironment = (use: (environment: Environment) => void): void => {
  let environment: Environment;
  beforeAll(async () => {
    environment = await startEnvironment();
    use(environment);
  });
  afterEach(async () => {
    expect(await environment.replayAll()).toEqual([]);
  });
  afterAll(() => environment.stop());
};
