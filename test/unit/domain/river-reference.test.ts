import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newAdwin, updateAdwin, type AdwinParameters } from '../../../domain/concept-drift/adwin.ts';
import type { Change } from '../../../domain/concept-drift/change.ts';
import { newDdm, updateDdm, type DdmParameters } from '../../../domain/concept-drift/ddm.ts';
import { newPageHinkley, updatePageHinkley, type PageHinkleyParameters } from '../../../domain/concept-drift/page-hinkley.ts';

type Run = { detections: number[]; warnings: number; firstWarning: number | null } & (
  | { detector: 'adwin'; parameters: AdwinParameters }
  | { detector: 'ddm'; parameters: DdmParameters }
  | { detector: 'pageHinkley'; parameters: PageHinkleyParameters }
);
type Case = { versions: Record<string, string>; name: string; stream: string | number[]; runs: Run[] };
const folder = new URL('../../references/fixtures/river/', import.meta.url);
const cases = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Case);
const version = cases[0]?.versions['river'];

const start = (run: Run): ((value: number) => Change) => {
  if (run.detector === 'adwin') {
    const state = newAdwin();
    return (value) => updateAdwin(state, value, run.parameters);
  }
  if (run.detector === 'ddm') {
    const state = newDdm();
    return (value) => updateDdm(state, value, run.parameters);
  }
  const state = newPageHinkley();
  return (value) => updatePageHinkley(state, value, run.parameters);
};

/** Numbers of the values, from 1, at which the detector found a change, and at which it warned; after a change it begins anew. */
const detect = (run: Run, stream: Case['stream']) => {
  const values = typeof stream === 'string' ? Array.from(stream, Number) : stream.map((value) => value / 1_000);
  const [detections, warned]: [number[], number[]] = [[], []];
  let update = start(run);
  values.forEach((value, index) => {
    const change = update(value);
    if (change === 'warning') warned.push(index + 1);
    if (change !== 'rise' && change !== 'fall') return;
    detections.push(index + 1);
    update = start(run);
  });
  return { detections, warnings: warned.length, firstWarning: warned[0] ?? null };
};

describe.each(cases)(`the detectors as in river ${version}: $name`, ({ stream, runs }) => {
  it.each(runs.map((run) => [`${run.detector} ${JSON.stringify(run.parameters)}`, run] as const))('%s', (_name, run) => {
    const { detections, warnings, firstWarning } = run;
    expect(detect(run, stream)).toEqual({ detections, warnings, firstWarning });
  });
});
