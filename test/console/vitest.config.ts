import { defineConfig } from 'vitest/config';

// What `npm run test:console` runs: the journeys of npm test, and what takes longer. One system at a time.
export default defineConfig({
  test: {
    include: ['test/integration/console/**/*.test.ts', 'test/console/**/*.spec.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    allowOnly: false,
    passWithNoTests: false,
  },
});
