/** `perennial up` over the stand-ins, in a process that a test can kill. */
import { join } from 'node:path';
import { up } from '../../../../deploy/local/up.ts';

const here = (name: string): string => join(import.meta.dirname, name);
const programs = { migrate: here('migrate.ts'), api: here('server.ts'), gateway: here('server.ts'), worker: here('worker.ts') };

process.exitCode = await up({ pools: ['data'], programs });
