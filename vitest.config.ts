import { defineConfig } from 'vitest/config';

// Two cores: two test files at a time. Bounds are for a busy machine; a test that needs them is slow, not flaky.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    allowOnly: false,
    passWithNoTests: false,
  },
});
