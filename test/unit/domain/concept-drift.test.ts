import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConceptSpec } from '../../../contracts/concept-drift.ts';
import { isReadable, readWindow, type ConceptState } from '../../../domain/concept-drift/detector.ts';
import { seededRandom } from '../../../domain/random.ts';

const SPECS = [
  { detector: 'adwin' },
  { detector: 'adwin', signal: 'squaredError', delta: 0.01 },
  { detector: 'ddm' },
  { detector: 'pageHinkley' },
  { detector: 'pageHinkley', signal: 'squaredError', threshold: 30 },
].map((spec) => ConceptSpec.parse(spec));
const named = SPECS.map((spec) => [`${spec.detector}${'signal' in spec ? ` of the ${spec.signal}` : ''}`, spec] as const);

type Rows = { scores: Float64Array; labels: Uint8Array };

/** Rows of a model that is right with these probabilities, each for so many rows. */
const rowsOf = (seed: number, parts: [count: number, right: number][]): Rows => {
  const random = seededRandom(seed);
  const wrong = parts.flatMap(([count, right]) => Array.from({ length: count }, () => random() > right));
  return { scores: Float64Array.from(wrong, () => 0.8), labels: Uint8Array.from(wrong, (isWrong) => (isWrong ? 0 : 1)) };
};

const cut = ({ scores, labels }: Rows, from: number, to: number): Rows => ({ scores: scores.slice(from, to), labels: labels.slice(from, to) });

/** JSON with its keys turned round, because PostgreSQL gives them back in an order of its own. */
const asStored = <T>(value: T): T => {
  const turned = (part: unknown): unknown =>
    typeof part !== 'object' || part === null ? part : Array.isArray(part) ? part.map(turned) : Object.fromEntries(Object.entries(part).reverse().map(([key, inner]) => [key, turned(inner)]));
  return JSON.parse(JSON.stringify(turned(value))) as T;
};

/** Reads rows in windows, with the state in between as it lies in the database. */
const readInWindows = (spec: ConceptSpec, rows: Rows, ends: number[]) => {
  let state: ConceptState | undefined;
  const detections = [0, ...ends].flatMap((from, index, starts) => {
    const read = readWindow(spec, state, cut(rows, from, starts[index + 1] ?? rows.scores.length));
    state = asStored(read.state);
    return read.report.detections;
  });
  return { detections, state };
};

describe.each(named)('%s', (_name, spec) => {
  it('finds errors that become many, soon after they do, and says that they rose', () => {
    const { report } = readWindow(spec, undefined, rowsOf(1, [[2_000, 0.9], [1_000, 0.5]]));
    expect(report.detected).toBe(true);
    const first = report.detections.find(({ label }) => label > 2_000);
    expect(first?.direction).toBe('rise');
    expect(first?.label).toBeLessThan(2_400);
  });

  it('finds nothing in a steady stream', () => {
    const { report, state } = readWindow(spec, undefined, rowsOf(5, [[2_000, 0.8]]));
    expect(report).toMatchObject({ detected: false, detections: [], labels: 2_000 });
    expect(report.mean).toBeGreaterThan(0);
    expect(state.labels).toBe(2_000);
  });

  it('reads the same in one window and in many, over states that were JSON', () => {
    const rows = rowsOf(3, [[900, 0.9], [600, 0.4], [700, 0.95]]);
    const whole = readInWindows(spec, rows, []);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_200 }), { maxLength: 6 }), (ends) => {
        const parts = readInWindows(spec, rows, ends.sort((a, b) => a - b));
        expect(parts.detections).toEqual(whole.detections);
        expect(parts.state).toEqual(whole.state);
      }),
      { numRuns: 15 },
    );
  });

  it('has a state of a few kilobytes after a hundred thousand labels', () => {
    const { state } = readWindow(spec, undefined, rowsOf(4, [[100_000, 0.85]]));
    expect(JSON.stringify(state).length).toBeLessThan(8_192);
  });

  it('does not change the state that it goes on from', () => {
    const { state } = readWindow(spec, undefined, rowsOf(6, [[500, 0.9]]));
    const before = JSON.stringify(state);
    readWindow(spec, state, rowsOf(7, [[500, 0.2]]));
    expect(JSON.stringify(state)).toBe(before);
  });
});

describe('the detectors', () => {
  it('say of errors that become fewer that they fell, which is no reason to act', () => {
    const { report } = readWindow(ConceptSpec.parse({ detector: 'adwin' }), undefined, rowsOf(8, [[1_000, 0.5], [1_000, 0.95]]));
    expect(report.detections.map(({ direction }) => direction)).toContain('fall');
    expect(report.detected).toBe(false);
  });

  it('warn before they are certain (DDM)', () => {
    const spec = ConceptSpec.parse({ detector: 'ddm' });
    const rows = rowsOf(9, [[1_000, 0.9], [400, 0.6]]);
    const first = readWindow(spec, undefined, rows).report.detections[0]?.label ?? 0;
    expect(readWindow(spec, undefined, cut(rows, 0, first - 1)).report).toMatchObject({ warning: true, detected: false });
  });

  it('begin anew when another detector is declared, but not when only the patience with labels is another', () => {
    const ddm = ConceptSpec.parse({ detector: 'ddm' });
    const { state } = readWindow(ddm, undefined, rowsOf(1, [[100, 0.9]]));
    const rows = rowsOf(2, [[50, 0.9]]);
    expect(readWindow({ ...ddm, minimumCoverage: 0.5 }, state, rows).state.labels).toBe(150);
    expect(readWindow(ConceptSpec.parse({ detector: 'ddm', driftThreshold: 4 }), state, rows).state.labels).toBe(50);
    expect(readWindow(ConceptSpec.parse({ detector: 'adwin' }), state, rows).state.labels).toBe(50);
  });

  it('report an empty window without a mean', () => {
    expect(readWindow(ConceptSpec.parse({ detector: 'ddm' }), undefined, rowsOf(1, [])).report).toMatchObject({ labels: 0, mean: null, detected: false });
  });
});

describe('isReadable', () => {
  const spec = ConceptSpec.parse({ detector: 'ddm', minimumCoverage: 0.9, patienceSeconds: 60 });
  it('waits for the labels, and at the latest until the patience is over', () => {
    expect(isReadable(spec, { rows: 100, labelled: 89, closedAtMs: 0 }, 59_999)).toBe(false);
    expect(isReadable(spec, { rows: 100, labelled: 90, closedAtMs: 0 }, 0)).toBe(true);
    expect(isReadable(spec, { rows: 100, labelled: 0, closedAtMs: 0 }, 60_000)).toBe(true);
  });
});
