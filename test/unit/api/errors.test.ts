/** Errors at the edge: the right code, and nothing that a stranger should not read. */
import { ServiceError } from '@temporalio/client';
import { describe, expect, it, vi } from 'vitest';
import { failureOf } from '../../../api/http/errors.ts';
import { invalid, problemOf } from '../../../api/http/problem.ts';
import { createTemporalCalls } from '../../../api/temporal/calls.ts';
import { recordOfFailure } from '../../../api/temporal/failure-record.ts';
import { FAILURES } from '../../../contracts/failures.ts';
import { PerennialFailure } from '../../../domain/failure.ts';

const failure = (error: unknown): PerennialFailure => failureOf(error, (candidate) => candidate instanceof Error && candidate.message === 'outage');

describe('an error becomes', () => {
  it.each([
    ['itself when it is named', new PerennialFailure('RunNotFound', 'x'), 'RunNotFound'],
    ['an outage of PostgreSQL', new Error('outage'), 'PostgresUnavailable'],
    ['a refused value', Object.assign(new Error('invalid byte sequence'), { code: '22021' }), 'InvalidRequest'],
    ['an unsupported type', Object.assign(new Error('x'), { code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE', statusCode: 415 }), 'UnsupportedMediaType'],
    ['too large', Object.assign(new Error('x'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }), 'PayloadTooLarge'],
    ['a malformed body', Object.assign(new SyntaxError('Unexpected token'), { statusCode: 400 }), 'MalformedBody'],
    ['nothing to read, when nobody foresaw it', new Error('secret at /home/x'), 'Internal'],
    ['nothing to read, when it is no error', 'secret', 'Internal'],
  ])('%s', (_what, error, code) => {
    expect(failure(error).code).toBe(code);
    expect(failure(error).message).not.toContain('secret');
  });
});

describe('a problem document', () => {
  it('has all its members and no stack', () => {
    const problem = problemOf(invalid('limit', { message: 'must be at least 1', fix: 'Give 1.' }), { id: 'r1', path: '/x' });
    expect(problem).toEqual({
      type: 'urn:perennial:error:InvalidRequest', title: FAILURES.InvalidRequest.title, status: 400, code: 'InvalidRequest', detail: 'limit: must be at least 1',
      fix: 'Give 1.', instance: '/x', requestId: 'r1', errors: [{ path: 'limit', message: 'must be at least 1', fix: 'Give 1.' }],
    });
  });
});

describe('a call to Temporal', () => {
  const calls = createTemporalCalls({ withDeadline: (_deadline: number, work: () => Promise<unknown>) => work() } as never);
  it('names an outage', async () => {
    const unavailable = new ServiceError('x', { cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: '', metadata: {} }) });
    await expect(calls.call(() => Promise.reject(unavailable))).rejects.toMatchObject({ code: 'TemporalUnavailable' });
  });
  it('ends in time, whatever the client does', async () => {
    await expect(calls.call(() => new Promise(() => undefined), { boundMs: 20 })).rejects.toMatchObject({ code: 'TemporalUnavailable' });
  });
  it('that is impatient asks no server that is known to be away, until a moment has passed', async () => {
    const own = createTemporalCalls({ withDeadline: (_deadline: number, work: () => Promise<unknown>) => work() } as never);
    const away = () => own.call(() => new Promise(() => undefined), { boundMs: 1 });
    let asked = 0;
    const ask = () => own.call(async () => (asked += 1), { impatient: true });
    expect(await ask()).toBe(1);
    await expect(away()).rejects.toMatchObject({ code: 'TemporalUnavailable' });
    await expect(ask()).rejects.toMatchObject({ code: 'TemporalUnavailable' });
    expect(asked).toBe(1);
    vi.useFakeTimers({ now: Date.now() + 1_100, toFake: ['Date'] });
    expect(await ask()).toBe(2);
    vi.useRealTimers();
  });
  it('to a workflow that is silent says nothing of the server', async () => {
    const own = createTemporalCalls({ withDeadline: (_deadline: number, work: () => Promise<unknown>) => work() } as never);
    await expect(own.call(() => new Promise(() => undefined), { boundMs: 1, ofWorkflow: true })).rejects.toMatchObject({ code: 'TemporalUnavailable' });
    expect(await own.call(async () => 'there', { impatient: true })).toBe('there');
  });
  it('lets other errors through', async () => {
    await expect(calls.call(() => Promise.reject(new Error('other')))).rejects.toThrow('other');
  });
});

describe('a failure of Temporal', () => {
  const json = (value: unknown) => ({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) });
  it('gives the record that the activity put into it, from whatever depth', () => {
    const details = { payloads: [json({ code: 'TrainerFailed', message: 'exit 1', fix: 'see', logTail: ['last'] })] };
    const inner = { message: 'exit 1', applicationFailureInfo: { type: 'TrainerFailed', details } };
    expect(recordOfFailure({ message: 'Activity task failed', cause: inner })).toEqual({ code: 'TrainerFailed', message: 'exit 1', fix: 'see', logTail: ['last'] });
  });
  it('knows a wait for a worker that took too long', () => {
    expect(recordOfFailure({ message: 'x', timeoutFailureInfo: { timeoutType: 2 } }).code).toBe('NoWorkerInPool');
  });
  it('has a code even when nobody gave one, and survives nonsense', () => {
    expect(recordOfFailure({ message: 'boom' })).toMatchObject({ code: 'Internal', message: 'boom' });
    const broken = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }] };
    expect(recordOfFailure({ message: 'boom', applicationFailureInfo: { type: 'SourceNotFound', details: broken } })).toMatchObject({ code: 'SourceNotFound' });
  });
});
