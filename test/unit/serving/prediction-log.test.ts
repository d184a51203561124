import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PerennialFailure } from '../../../domain/failure.ts';
import { checksumSeed, listClosed, retire } from '../../../serving/log-folder.ts';
import { decodeGroups, encodeGroup } from '../../../serving/log-record.ts';
import { PredictionLog } from '../../../serving/prediction-log.ts';

const VERSION = JSON.stringify({ kind: 'version', model: 'm', version: 1, inputs: [], outputs: [] });
const record = (id: number | string): string => JSON.stringify({ kind: 'answer', id: String(id) });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const recordsOf = (suffix = ''): string[] => readdirSync(folder).filter((name) => name.endsWith(suffix)).sort().flatMap((name) => decodeGroups(readFileSync(join(folder, name), 'utf8'), checksumSeed(name)).records);
const idsOf = (suffix?: string): string[] => recordsOf(suffix).map((line) => (JSON.parse(line) as { id?: string }).id).filter((id) => id !== undefined);
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await delay(10);
  }
};

describe('groups', () => {
  test('what is cut off anywhere loses only its last group', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.json(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }), fc.nat(), (groups, cut) => {
        const encode = (part: readonly string[][]): string => part.map((group) => encodeGroup(group, 7)).join('');
        const whole = encode(groups);
        const bytes = Buffer.from(whole);
        const length = cut % (bytes.length + 1);
        const { records } = decodeGroups(bytes.subarray(0, length).toString('utf8'), 7);
        const complete = groups.filter((_, index) => Buffer.byteLength(encode(groups.slice(0, index + 1))) <= length).length;
        // A line that lacks only its end is whole.
        expect([groups.slice(0, complete).flat(), groups.slice(0, complete + 1).flat()]).toContainEqual(records);
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  test('any flipped byte is noticed', () => {
    const line = encodeGroup([record('a'), record('b')], 7);
    for (let index = 0; index < line.length - 1; index += 1) {
      const damaged = `${line.slice(0, index)}${line[index] === 'x' ? 'y' : 'x'}${line.slice(index + 1)}`;
      expect(decodeGroups(damaged, 7)).toEqual({ records: [], damaged: 1 });
    }
  });

  test('groups after a damaged line are still read', () => {
    expect(decodeGroups(`${encodeGroup(['1'], 7)}garbage\n${encodeGroup(['2', '3'], 7)}`, 7)).toEqual({ records: ['1', '2', '3'], damaged: 1 });
  });
});

describe('group commit', () => {
  test('a record is in the file when its append resolves', async () => {
    const log = new PredictionLog(folder);
    await Promise.all(
      Array.from({ length: 500 }, async (_, id) => {
        await log.append(VERSION, record(id));
        expect(idsOf()).toContain(String(id));
      }),
    );
    await log.stop();
    expect(idsOf('.log').map(Number).sort((left, right) => left - right)).toEqual(Array.from({ length: 500 }, (_, id) => id));
  });

  test('one write at a time: what gathers meanwhile goes in the next', async () => {
    let writes = 0;
    const openFile = async (path: string): Promise<FileHandle> => {
      const handle = await open(path, 'ax');
      const write = handle.write.bind(handle);
      handle.write = ((...args: [Buffer, number, number, number]) => {
        writes += 1;
        return write(...args);
      }) as typeof handle.write;
      return handle;
    };
    const log = new PredictionLog(folder, { openFile });
    await Promise.all(Array.from({ length: 1_000 }, (_, id) => log.append(VERSION, record(id))));
    expect(writes).toBe(1);
    await log.stop();
  });

  test('each file names a version once, before its first record', async () => {
    const log = new PredictionLog(folder);
    await log.append(VERSION, record(1));
    await log.append(VERSION, record(2));
    await log.stop();
    expect(recordsOf()).toEqual([VERSION, record(1), record(2)]);
  });

  test('a file is closed after two seconds without further records', async () => {
    const log = new PredictionLog(folder);
    await log.append(VERSION, record(1));
    expect(await listClosed(folder)).toEqual([]);
    await until(async () => (await listClosed(folder)).length === 1);
    await log.append(VERSION, record(2));
    await log.stop();
    expect(idsOf('.log')).toEqual(['1', '2']);
  });
});

describe('a disk that fails', () => {
  test('refuses what cannot be written, and goes on when there is room again', async () => {
    let isFull = true;
    const log = new PredictionLog(folder, { openFile: (path) => (isFull ? open('/dev/full', 'a') : open(path, 'ax')) });
    const refused = await Promise.allSettled([log.append(VERSION, record(1)), log.append(VERSION, record(2))]);
    for (const result of refused) {
      expect(result.status).toBe('rejected');
      const { reason } = result as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(PerennialFailure);
      expect(reason).toMatchObject({ code: 'PredictionLogUnavailable', message: 'the prediction log cannot be written (ENOSPC)' });
    }
    expect(log.failingSince).toBeInstanceOf(Date);
    isFull = false;
    await log.append(VERSION, record(3));
    expect(log.failingSince).toBeUndefined();
    await log.stop();
    expect(idsOf('.log')).toEqual(['3']);
  });

  test('a record that was refused is not in the log, even when its write went half through', async () => {
    let failNext = false;
    const openFile = async (path: string): Promise<FileHandle> => {
      const handle = await open(path, 'ax');
      const write = handle.write.bind(handle) as (bytes: Buffer, from: number, length: number, position: number) => Promise<unknown>;
      const breakHalfWay = async (bytes: Buffer, from: number, length: number, position: number): Promise<never> => {
        await write(bytes, from, Math.floor(length / 2), position);
        throw Object.assign(new Error('broken'), { code: 'EIO' });
      };
      handle.write = ((...args: [Buffer, number, number, number]) => (failNext ? breakHalfWay(...args) : write(...args))) as typeof handle.write;
      return handle;
    };
    const log = new PredictionLog(folder, { openFile });
    await log.append(VERSION, record('good'));
    failNext = true;
    await expect(log.append(VERSION, record('refused'))).rejects.toMatchObject({ code: 'PredictionLogUnavailable' });
    failNext = false;
    await log.append(VERSION, record('after'));
    await log.stop();
    expect(idsOf('.log')).toEqual(['good', 'after']);
  });
});

describe('what a dead process left', () => {
  test('is closed; files of a process that lives are left to it for a while', async () => {
    const theirs = '20260101T000000000Z-4194999-000001.open';
    const mine = `20260101T000000000Z-${process.ppid}-000001.open`;
    const seed = checksumSeed(theirs);
    writeFileSync(join(folder, theirs), encodeGroup([VERSION, record('left')], seed));
    appendFileSync(join(folder, theirs), '00000000 {"kind":"ans');
    writeFileSync(join(folder, mine), '');
    const log = new PredictionLog(folder);
    log.recover();
    await until(async () => (await listClosed(folder)).includes('20260101T000000000Z-4194999-000001.log'));
    expect(readdirSync(folder)).toContain(mine);
    expect(idsOf('.log')).toEqual(['left']);
    await log.stop();
  });
});

describe('a file that was shipped is written over', () => {
  const bigRecord = (id: string): string => JSON.stringify({ kind: 'answer', id, filling: 'x'.repeat(50_000) });
  /** Writes records into a file of its own and retires it as the shipper does. */
  const leaveSpare = async (): Promise<void> => {
    const log = new PredictionLog(folder);
    await Promise.all(Array.from({ length: 10 }, (_, id) => log.append(VERSION, bigRecord(`old-${id}`))));
    await log.stop();
    for (const name of await listClosed(folder)) await retire(folder, name);
  };

  test('and holds only its own records after a clean end', async () => {
    await leaveSpare();
    expect(readdirSync(folder).map((name) => name.split('.')[1])).toEqual(['spare']);
    const log = new PredictionLog(folder);
    await log.append(VERSION, record('new'));
    await log.stop();
    expect(readdirSync(folder).map((name) => name.split('.')[1])).toEqual(['log']);
    expect(recordsOf()).toEqual([VERSION, record('new')]);
  });

  test('and after a crash, when the records of before still stand behind the new ones', async () => {
    await leaveSpare();
    const log = new PredictionLog(folder);
    await log.append(VERSION, record('new'));
    const [name = ''] = readdirSync(folder);
    expect(name).toMatch(/\.open$/);
    const { records, damaged } = decodeGroups(readFileSync(join(folder, name), 'utf8'), checksumSeed(name));
    expect(records).toEqual([VERSION, record('new')]);
    expect(damaged).toBe(1);
    await log.stop();
  });

  test('and may grow beyond its old length', async () => {
    await leaveSpare();
    const log = new PredictionLog(folder);
    for (let id = 0; id < 20; id += 1) await log.append(VERSION, bigRecord(`new-${id}`));
    await log.stop();
    expect(idsOf('.log')).toEqual(Array.from({ length: 20 }, (_, id) => `new-${id}`));
  });

  test('small files and more than two are not kept', async () => {
    await leaveSpare();
    await leaveSpare();
    for (const bytes of [10, 500_000, 500_000]) writeFileSync(join(folder, `20260101T000000000Z-1-${String(bytes).padStart(6, '0')}.log`), 'x'.repeat(bytes));
    for (const name of await listClosed(folder)) await retire(folder, name);
    expect(readdirSync(folder).filter((name) => name.endsWith('.log'))).toEqual([]);
    expect(readdirSync(folder).length).toBeLessThanOrEqual(2);
  });
});
