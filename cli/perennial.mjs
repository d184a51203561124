#!/usr/bin/env node
// The executable: plain JavaScript, because on a fresh clone it runs before node_modules, and with it the TypeScript loader, exists.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const load = async () => {
  const { register } = await import('tsx/esm/api');
  register();
};

try {
  await load();
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const setup = fileURLToPath(new URL('../deploy/local/setup.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [setup], { stdio: ['inherit', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
  await load();
}
await import('./main.ts');
