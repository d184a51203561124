/**
 * `npm test`: runs every tier and ends with one line, `N passed, N failed`. Arguments are vitest's file filters.
 * A test that was skipped counts as failed: nothing skips silently.
 */
import { startVitest } from 'vitest/node';

const vitest = await startVitest('test', process.argv.slice(2), { run: true, watch: false });
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
const passed = tests.filter((test) => test.result().state === 'passed').length;
const brokenFiles = vitest.state.getTestModules().filter((module) => module.state() === 'failed' && [...module.children.allTests()].every((test) => test.result().state === 'passed')).length;
const unhandled = vitest.state.getUnhandledErrors().length;
await vitest.close();
const failed = tests.length - passed + brokenFiles + unhandled;
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);
