import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doctor, formatDiagnosis, type Check, type Diagnosis } from '../../../deploy/local/doctor.ts';
import { findFreePorts, portVariables, type Ports } from '../../../deploy/local/processes/ports.ts';
import { readConfig } from '../../../workers/config.ts';

let folder: string;
let ports: Ports;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-doctor-'));
  ports = await findFreePorts();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const diagnose = (home: string): Promise<Diagnosis> => {
  const variables = Object.fromEntries(Object.entries(ports).map(([name, port]) => [portVariables[name as keyof Ports], String(port)]));
  return doctor(readConfig({ ...variables, PERENNIAL_HOME: home }));
};

const named = ({ checks }: Diagnosis, name: string): Check | undefined => checks.find((check) => check.name === name);

test('all is well on a machine that is set up, and looking changes nothing', async () => {
  const home = join(folder, 'not', 'there', 'yet');
  const diagnosis = await diagnose(home);
  expect(diagnosis.checks.filter((check) => !check.ok)).toEqual([]);
  expect(diagnosis.exitCode).toBe(0);
  expect(existsSync(home)).toBe(false);
});

test('what is wrong comes with its fix, and with exit code 1', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const taker = createServer().listen(ports.postgres, '127.0.0.1');
  await new Promise((resolve) => taker.once('listening', resolve));
  const diagnosis = await diagnose(file);
  taker.close();
  expect(diagnosis.exitCode).toBe(1);
  expect(named(diagnosis, 'Ports')?.fix).toContain(`port ${ports.postgres} of PostgreSQL is taken: end what listens there, or set PERENNIAL_POSTGRES_PORT`);
  expect(named(diagnosis, 'Home folder')?.fix).toContain('set PERENNIAL_HOME to another');
  expect(formatDiagnosis(diagnosis).join('\n')).toContain('✗ Ports: taken');
});
