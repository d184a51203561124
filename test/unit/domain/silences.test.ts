import { expect, it } from 'vitest';
import { SilenceMatcher, type AlertView, type Silence } from '../../../contracts/alert.ts';
import { silenceOf } from '../../../domain/silences.ts';

const alert = { model: 'flights-eu', kind: 'drift', subject: 'champion', pipeline: 'flights', labels: { team: 'risk' } } as unknown as AlertView;
const silence = (silenceId: string, matcher: Parameters<typeof SilenceMatcher.parse>[0], [startsAt, endsAt]: [string, string] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']): Silence => ({
  silenceId,
  matcher: SilenceMatcher.parse(matcher),
  startsAt,
  endsAt,
  createdBy: 'ada',
  comment: 'works on the line',
});
const at = Date.parse('2026-01-01T12:00:00Z');
const found = (...silences: Silence[]): string | undefined => silenceOf(silences, alert, at)?.silenceId;

it('a silence matches by globs on model, kind and labels, all of them', () => {
  expect(found(silence('s', { model: 'flights-*' }))).toBe('s');
  expect(found(silence('s', { model: 'flights' }))).toBeUndefined();
  expect(found(silence('s', { kind: 'd*ft', labels: { team: 'ri?k', pipeline: 'flights' } }))).toBe('s');
  expect(found(silence('s', { kind: 'quality' }))).toBeUndefined();
  expect(found(silence('s', { model: '*', labels: { team: 'other' } }))).toBeUndefined();
  expect(found(silence('s', { model: '*', labels: { absent: '*' } }))).toBeUndefined();
});

it('a silence counts from its beginning until just before its end, and the longest holds', () => {
  expect(found(silence('past', { model: '*' }, ['2026-01-01T00:00:00Z', '2026-01-01T12:00:00Z']))).toBeUndefined();
  expect(found(silence('now', { model: '*' }, ['2026-01-01T12:00:00Z', '2026-01-01T12:00:01Z']))).toBe('now');
  expect(found(silence('short', { model: '*' }), silence('long', { model: '*' }, ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z']))).toBe('long');
});
