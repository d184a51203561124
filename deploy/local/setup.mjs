/**
 * Entry of the set-up behind `npm run demo` and `npm test`.
 *
 * Plain JavaScript on Node builtins alone, because on a fresh clone it runs before node_modules exists: it makes the
 * npm packages complete and then hands over to setup.ts, which may use them.
 *
 *     node deploy/local/setup.mjs [--profile runtime|test]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureNpmPackages, nodeVersionProblem } from './npm-packages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

const fail = (message) => {
  console.error(`\nset-up failed: ${message}`);
  process.exit(1);
};

const problem = nodeVersionProblem(process.versions.node);
if (problem !== undefined) fail(problem);

try {
  await ensureNpmPackages({ root, log: (line) => console.log(line) });
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

const rest = spawnSync(process.execPath, ['--import', 'tsx', 'deploy/local/setup.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(rest.status ?? 1);
