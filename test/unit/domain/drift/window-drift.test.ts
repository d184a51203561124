import { describe, expect, it } from 'vitest';
import type { ColumnDistribution } from '../../../../contracts/features.ts';
import { DriftSpec } from '../../../../contracts/monitor.ts';
import { distributionOfValues } from '../../../../domain/drift/binning.ts';
import { columnDrift } from '../../../../domain/drift/column-drift.ts';
import { driftOf } from '../../../../domain/drift/window-drift.ts';
import { seededRandom } from '../../../../domain/random.ts';

const evenly = (rows: number, shift = 0, missing = 0): Float64Array => Float64Array.from({ length: rows + missing }, (_, index) => (index < rows ? index / rows + shift : NaN));
const numbers = (column: string, values: Float64Array): ColumnDistribution => distributionOfValues(column, values);
const categories = (column: string, counts: Record<string, number>, others = 0, missing = 0): ColumnDistribution => ({
  type: 'categorical', column, categories: Object.keys(counts), counts: [...Object.values(counts), others], missing,
});
const spec = (changes: Record<string, unknown> = {}): DriftSpec => DriftSpec.parse(changes);
const side = (columns: ColumnDistribution[], prediction: ColumnDistribution | null = null) => ({ columns, prediction });

describe('the drift of a column', () => {
  it('is judged by the test that Evidently would choose', () => {
    const chosen = (reference: ColumnDistribution, current: ColumnDistribution): string => columnDrift(reference, current, spec()).method;
    expect(chosen(numbers('x', evenly(1_000)), numbers('x', evenly(50)))).toBe('ks');
    expect(chosen(numbers('x', evenly(1_001)), numbers('x', evenly(50)))).toBe('wasserstein');
    expect(chosen(numbers('x', evenly(3)), numbers('x', evenly(3)))).toBe('chisquare');
    expect(chosen(numbers('x', Float64Array.of(0, 1)), numbers('x', Float64Array.of(1, 1)))).toBe('z');
    expect(chosen(categories('c', { a: 5, b: 5 }), categories('c', { a: 5 }))).toBe('z');
    expect(chosen(categories('c', { a: 5, b: 5 }), categories('c', { c: 5 }))).toBe('chisquare');
    expect(chosen(categories('c', { a: 600, b: 500 }), categories('c', { c: 5 }))).toBe('jensenshannon');
    // Missing values do not make a reference large.
    expect(chosen(numbers('x', evenly(900, 0, 5_000)), numbers('x', evenly(50)))).toBe('ks');
  });

  it('takes method and threshold of the column first, of all columns then, and the default of a test that does not suit', () => {
    const [reference, current] = [numbers('x', evenly(2_000)), numbers('x', evenly(500, 0.05))];
    expect(columnDrift(reference, current, spec({ method: 'psi', columnThreshold: 0.7, columns: { x: { method: 'ks', threshold: 0.01 } } }))).toMatchObject({ method: 'ks', threshold: 0.01 });
    expect(columnDrift(reference, current, spec({ method: 'psi', columnThreshold: 0.7 }))).toMatchObject({ method: 'psi', threshold: 0.7 });
    expect(columnDrift(reference, current, spec({ method: 'chisquare' }))).toMatchObject({ method: 'wasserstein', threshold: 0.1 });
  });

  it('sees missing values beside the test, which compares the values that are there', () => {
    const silent = columnDrift(numbers('x', evenly(2_000)), numbers('x', evenly(100, 0, 900)), spec());
    expect(silent).toMatchObject({ drifted: false, missing: { reference: 0, current: 0.9, drifted: true } });
    const gone = columnDrift(numbers('x', evenly(2_000)), numbers('x', evenly(0, 0, 900)), spec());
    expect(gone).toMatchObject({ score: null, drifted: false, missing: { current: 1, drifted: true } });
    expect(columnDrift(numbers('x', evenly(900, 0, 100)), numbers('x', evenly(80, 0, 20)), spec()).missing.drifted).toBe(true);
  });

  it('names new categories, where the reference keeps all of its own', () => {
    const reference = categories('c', { a: 600, b: 600 });
    const found = columnDrift(reference, categories('c', { a: 50, z: 30, b: 10, y: 9 }, 1), spec());
    expect(found).toMatchObject({ newCategories: ['z', 'y'], newShare: 0.4 });
    expect(columnDrift(categories('c', { a: 600 }, 600), categories('c', { a: 50, z: 30 }), spec())).toMatchObject({ newCategories: [], newShare: 0 });
  });

  it('refuses distributions that do not belong together', () => {
    const large = numbers('x', evenly(5_000));
    const foreign = distributionOfValues('x', evenly(5_000), [0.1, 0.2]);
    expect(() => columnDrift(large, foreign, spec())).toThrow(/not those of its reference/);
    expect(() => columnDrift(large, categories('x', { a: 3 }), spec())).toThrow(/numeric in the reference and categorical/);
    expect(() => columnDrift(categories('c', { a: NaN }), categories('c', { a: 3 }), spec())).toThrow(/no numbers of rows/);
  });
});

describe('the drift of a window', () => {
  const [calm, moved] = [evenly(2_000), evenly(2_000, 0.5)];
  const reference = side(['a', 'b', 'c', 'd'].map((column) => numbers(column, calm)));
  const window = (...values: Float64Array[]) => side(values.map((value, index) => numbers('abcd'[index]!, value)));

  it('is the share of columns that drifted, detected from the limit on', () => {
    const current = window(moved, calm, moved, calm);
    expect(driftOf(reference, current, spec())).toMatchObject({ driftScore: 0.5, drifted: true });
    expect(driftOf(reference, current, spec({ shareThreshold: 0.6 }))).toMatchObject({ driftScore: 0.5, drifted: false });
    expect(driftOf(reference, window(calm, calm, calm, calm), spec({ shareThreshold: 0 }))).toMatchObject({ driftScore: 0, drifted: false });
    expect(driftOf(side([]), side([]), spec({ shareThreshold: 0 }))).toEqual({ driftScore: 0, drifted: false, columns: [], prediction: null });
  });

  it('is detected too when columns fall silent', () => {
    const silent = evenly(0, 0, 2_000);
    expect(driftOf(reference, window(silent, silent, calm, calm), spec())).toMatchObject({ driftScore: 0, drifted: true });
  });

  it('compares the scores of the model beside the columns', () => {
    const drift = driftOf(side([], numbers('score', calm)), side([], numbers('score', moved)), spec());
    expect(drift).toMatchObject({ driftScore: 0, drifted: false, prediction: { column: 'score', method: 'wasserstein', drifted: true } });
  });

  it('refuses a window that lacks a column', () => expect(() => driftOf(reference, window(calm), spec())).toThrow(/"b"/));

  it('reports a twentieth of unchanged columns, and with the correction next to none', () => {
    const random = seededRandom(11);
    const names = Array.from({ length: 200 }, (_, index) => `column ${index}`);
    const draw = () => side(names.map((column) => numbers(column, Float64Array.from({ length: 200 }, () => random()))));
    const [before, now] = [draw(), draw()];
    const drifted = (changes: Record<string, unknown>): number => driftOf(before, now, spec(changes)).columns.filter((column) => column.drifted).length;
    expect(drifted({})).toBeGreaterThan(4);
    expect(drifted({ correction: 'benjaminiHochberg' })).toBe(0);
    const shifted = side(now.columns.map((column, index) => (index < 10 ? numbers(names[index]!, Float64Array.from({ length: 200 }, () => random() + 0.5)) : column)));
    const corrected = driftOf(before, shifted, spec({ correction: 'benjaminiHochberg' })).columns.filter((column) => column.drifted);
    expect(corrected.map(({ column }) => column)).toEqual(expect.arrayContaining(names.slice(0, 10)));
    expect(corrected.length).toBeLessThanOrEqual(12);
  });
});
