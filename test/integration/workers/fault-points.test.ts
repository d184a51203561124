import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';

const home = mkdtempSync(join(tmpdir(), 'perennial-fault-points-'));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const source = `
  import { createFaultPoints } from './workers/fault-points.ts';
  const faults = createFaultPoints({ home: process.argv[1], faultPoints: process.argv.slice(2) });
  faults.reach('promote.after-commit');
  console.log('passed');`;
const reach = (...configured: string[]) => {
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source, home, ...configured], { encoding: 'utf8' });
  return child.signal ?? child.stdout.trim();
};

it('a fault point kills its process once per name and home, and nothing where it is not configured', () => {
  expect(reach('other.point')).toBe('passed');
  expect(reach('promote.after-commit')).toBe('SIGKILL');
  expect(reach('promote.after-commit')).toBe('passed');
}, 60_000);
