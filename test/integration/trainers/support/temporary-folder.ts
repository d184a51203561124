/** Folders that go away when the test file that imported this has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-trainers-'));
  folders.push(folder);
  return folder;
};
