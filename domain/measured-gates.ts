/** Gates on what the evaluation measured for them: slices, fairness, calibration, latency, size, signature and McNemar's test. They fail closed. */
import type { Gate, GateMeasurements } from '../contracts/gate.ts';
import type { EvaluationReport } from '../contracts/model.ts';
import type { GateDecision } from '../contracts/run.ts';
import { gateName, isNumber, no, outside, show, yes } from './gate-words.ts';

/** Groups or slices that a reason names at most. */
const NAMED = 5;

const nameOf = (value: string | null): string => (value === null ? '(missing)' : value);

const list = (words: readonly string[]): string => words.slice(0, NAMED).join('; ') + (words.length > NAMED ? `; and ${words.length - NAMED} more` : '');

const unmeasured = (gate: Parameters<typeof gateName>[0]): GateDecision => no(gateName(gate), 'it was not measured');

/** Says no for values with too few rows, unless they are to be ignored. */
const tooSmall = (values: readonly { value: string | null; rows: number }[], { minimumRows, small }: { minimumRows: number; small: 'refuse' | 'ignore' }): string | null => {
  const few = values.filter(({ rows }) => rows < minimumRows);
  if (few.length === 0 || small === 'ignore') return null;
  return `too few rows to judge, ${minimumRows} needed: ${list(few.map(({ value, rows }) => `${nameOf(value)} has ${rows}`))}`;
};

export const decideSlice = (measured: GateMeasurements | undefined, gate: Gate<'slice'>): GateDecision => {
  const name = gateName(gate);
  const found = measured?.slices.find(({ column, metric }) => column === gate.column && metric === gate.metric);
  if (found === undefined) return unmeasured(gate);
  if (gate.min === undefined && gate.max === undefined) return no(name, 'the gate names neither min nor max');
  if (found.values.length === 0) return no(name, `${gate.column} has ${found.distinct} values: too many for slices`);
  const few = tooSmall(found.values, gate);
  if (few !== null) return no(name, few);
  const judged = found.values.filter(({ rows }) => rows >= gate.minimumRows);
  if (judged.length === 0) return no(name, `no slice has ${gate.minimumRows} rows`);
  const failing = judged.flatMap(({ value, metric }) => {
    if (!isNumber(metric)) return [`${nameOf(value)}: ${gate.metric} is not defined`];
    const where = outside(metric, gate);
    return where === null ? [] : [`${nameOf(value)}: ${show(metric)} is ${where}`];
  });
  return failing.length === 0 ? yes(name, `${gate.metric} holds in ${judged.length} slices`) : no(name, `in ${failing.length} of ${judged.length} slices: ${list(failing)}`);
};

type Fairness = GateMeasurements['fairness'][number];

const isOf = (gate: Gate<'fairness'>, found: Fairness): boolean =>
  found.column === gate.column &&
  found.measure === gate.measure &&
  found.threshold === gate.threshold &&
  found.minimumRows === gate.minimumRows &&
  found.cluster === (gate.cluster ?? null) &&
  found.confidence === gate.confidence &&
  found.resamples === gate.resamples;

/** The whole interval must lie within the bound: an interval across it is inconclusive. */
const judgeInterval = (gate: Gate<'fairness'>, { value, low, high }: { value: number; low: number; high: number }): GateDecision => {
  const name = gateName(gate);
  const numbers = `${show(value)}, ${show(gate.confidence * 100)} % interval ${show(low)} to ${show(high)}`;
  const [atLow, atHigh] = [outside(low, gate), outside(high, gate)];
  if (atLow === null && atHigh === null) return yes(name, numbers);
  const where = outside(value, gate);
  return no(name, where === null ? `inconclusive: ${numbers}, an end of it is ${atHigh ?? atLow}` : `${numbers}: ${where}`);
};

export const decideFairness = (measured: GateMeasurements | undefined, gate: Gate<'fairness'>): GateDecision => {
  const name = gateName(gate);
  const found = measured?.fairness.find((measurement) => isOf(gate, measurement));
  if (found === undefined) return unmeasured(gate);
  if (gate.min === undefined && gate.max === undefined) return no(name, 'the gate names neither min nor max');
  if (found.groups.length === 0) return no(name, `${gate.column} has ${found.distinct} values: too many for groups`);
  const few = tooSmall(found.groups, gate);
  if (few !== null) return no(name, few);
  const { value, low, high } = found;
  if (!isNumber(value)) return no(name, `it is not defined: fewer than two groups have ${gate.minimumRows} rows, or one of them has no row to be a rate of`);
  if (!isNumber(low) || !isNumber(high)) return no(name, `${show(value)}, but its interval is not defined: fewer than two clusters, or a group is absent from a resample`);
  return judgeInterval(gate, { value, low, high });
};

export const decideCalibration = (measured: GateMeasurements | undefined, gate: Gate<'calibration'>): GateDecision => {
  const error = measured?.calibrationError;
  if (!isNumber(error)) return unmeasured(gate);
  return error <= gate.max ? yes('calibration', `expected calibration error ${show(error)}`) : no('calibration', `expected calibration error ${show(error)} is above ${show(gate.max)}`);
};

export const decideLatency = (measured: GateMeasurements | undefined, gate: Gate<'latency'>): GateDecision => {
  const latency = measured?.latency;
  if (!isNumber(latency?.p95Ms)) return unmeasured(gate);
  const numbers = `p95 ${show(latency.p95Ms)} ms of ${latency.requests} single rows`;
  return latency.p95Ms <= gate.maxP95Ms ? yes('latency', numbers) : no('latency', `${numbers} is above ${show(gate.maxP95Ms)} ms`);
};

export const decideSize = (measured: GateMeasurements | undefined, gate: Gate<'size'>): GateDecision => {
  const bytes = measured?.modelBytes;
  if (!isNumber(bytes)) return unmeasured(gate);
  return bytes <= gate.maxBytes ? yes('size', `${bytes} bytes`) : no('size', `${bytes} bytes are more than ${gate.maxBytes}`);
};

export const decideSignature = (report: EvaluationReport, gate: Gate<'signature'>): GateDecision => {
  if (report.measured === undefined) return unmeasured(gate);
  if (report.champion === null) return yes('signature', 'there is no champion to compare with');
  const differences = report.measured.signatureDifferences;
  if (differences === null) return unmeasured(gate);
  return differences.length === 0 ? yes('signature', `as that of the champion version ${report.champion.version}`) : no('signature', list(differences));
};

/** Better only with a difference that is both significant and above the minimum effect. */
export const decideMcnemar = (report: EvaluationReport, gate: Gate<'champion'>): GateDecision => {
  const name = gateName(gate);
  if (report.champion === null) return yes(name, 'there is no champion to compare with');
  const found = report.measured?.mcnemar;
  if (found === undefined || found === null || !isNumber(found.pValue)) return unmeasured(gate);
  const { candidateOnly, championOnly, bothRight, bothWrong, pValue } = found;
  const difference = (candidateOnly - championOnly) / (candidateOnly + championOnly + bothRight + bothWrong);
  if (!isNumber(difference)) return no(name, 'there are no rows');
  const numbers = `right alone in ${candidateOnly} rows, the champion version ${report.champion.version} in ${championOnly}; difference ${show(difference)}, minimum effect ${show(gate.minimumEffect)}, p ${show(pValue)}`;
  if (pValue > 1 - gate.confidence) return no(name, `inconclusive: ${numbers}`);
  if (difference < 0) return no(name, `worse: ${numbers}`);
  return difference > gate.minimumEffect ? yes(name, `better: ${numbers}`) : no(name, `not better: ${numbers}`);
};
