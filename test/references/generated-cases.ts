/** Generated data with the shapes in which tests of drift go wrong; seeded, the same on every machine. */
import { seededRandom } from '../../domain/random.ts';
import type { InputColumn } from './input-files.ts';

export type GeneratedCase = { name: string; columns: InputColumn[]; reference: Record<string, unknown>[]; current: Record<string, unknown>[] };

type Random = () => number;
type Generator = { name: string; type: InputColumn['type']; reference(random: Random): unknown; current(random: Random): unknown };

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pick = (random: Random, values: readonly string[], weights: readonly number[]): string => {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return values.find((_value, index) => (left -= weights[index] ?? 0) < 0) ?? values[0] ?? '';
};
const both = (name: string, type: InputColumn['type'], value: (random: Random) => unknown): Generator => ({ name, type, reference: value, current: value });

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];

const generators: Generator[] = [
  both('same', 'numeric', normal),
  { name: 'shifted', type: 'numeric', reference: normal, current: (random) => normal(random) + 0.13 },
  { name: 'wider', type: 'numeric', reference: normal, current: (random) => 1.4 * normal(random) },
  { name: 'skewed', type: 'numeric', reference: (random) => Math.exp(2 * normal(random)), current: (random) => Math.exp(2 * normal(random) + 0.3) },
  { name: 'mostlyZero', type: 'numeric', reference: (random) => (random() < 0.9 ? 0 : normal(random) * 5), current: (random) => (random() < 0.86 ? 0 : normal(random) * 5) },
  { name: 'twoPeaks', type: 'numeric', reference: (random) => (random() < 0.5 ? 1e6 : 0) + normal(random), current: (random) => (random() < 0.57 ? 1e6 : 0) + normal(random) },
  { name: 'stuck', type: 'numeric', reference: normal, current: (random) => (random() < 0.05 ? 2.345678 : normal(random)) },
  { name: 'offRange', type: 'numeric', reference: (random) => random(), current: (random) => (random() < 0.02 ? 1 + random() : random()) },
  { name: 'farAway', type: 'numeric', reference: (random) => 1e9 + random(), current: (random) => 1e9 + random() * 1.2 },
  { name: 'gaps', type: 'numeric', reference: (random) => (random() < 0.1 ? null : normal(random)), current: (random) => (random() < 0.4 ? null : normal(random)) },
  { name: 'fewNumbers', type: 'numeric', reference: (random) => Math.floor(random() * 4), current: (random) => Math.floor(random() ** 1.1 * 4) },
  { name: 'someNumbers', type: 'numeric', reference: (random) => Math.floor(random() * 15), current: (random) => Math.floor(random() ** 1.1 * 16) },
  { name: 'flag', type: 'numeric', reference: (random) => Number(random() < 0.3), current: (random) => Number(random() < 0.34) },
  both('constant', 'numeric', () => 7),
  both('sameLetters', 'categorical', (random) => pick(random, letters, [5, 4, 3, 2, 1, 0])),
  { name: 'movedLetters', type: 'categorical', reference: (random) => pick(random, letters, [5, 4, 3, 2, 1, 1]), current: (random) => pick(random, letters, [4, 4, 4, 3, 1, 1]) },
  { name: 'newLetter', type: 'categorical', reference: (random) => pick(random, letters, [5, 4, 3, 2, 1, 0]), current: (random) => pick(random, letters, [5, 4, 3, 2, 1, 0.1]) },
  { name: 'yesNo', type: 'categorical', reference: (random) => pick(random, ['yes', 'no'], [3, 7]), current: (random) => pick(random, ['yes', 'no'], [3.3, 6.7]) },
  both('oneWord', 'categorical', () => 'only'),
  { name: 'otherWord', type: 'categorical', reference: () => 'before', current: () => 'after' },
  both('manyWords', 'categorical', (random) => `w${Math.floor(random() ** 2 * 300)}`),
];

const rowsOf = (side: 'reference' | 'current', rows: number, seed: number): Record<string, unknown>[] => {
  const randoms = generators.map((_generator, index) => seededRandom(seed * 1_000 + index));
  return Array.from({ length: rows }, () => Object.fromEntries(generators.map((generator, index) => [generator.name, generator[side](randoms[index]!)])));
};

const columns = generators.map(({ name, type }) => ({ name, type }));

/** Sizes by what they reach: equal and unequal small samples, one beyond the exact KS test, a reference just above the limit of small, large ones. */
const sizes: [string, number, number][] = [
  ['generated-equal-small', 400, 400],
  ['generated-unequal-small', 1_000, 373],
  ['generated-tiny', 12, 9],
  ['generated-small-against-large', 700, 12_000],
  ['generated-above-small', 1_200, 900],
  ['generated-large', 15_000, 12_000],
];

export const generatedCases = (): GeneratedCase[] =>
  sizes.map(([name, reference, current], index) => ({ name, columns, reference: rowsOf('reference', reference, 2 * index + 1), current: rowsOf('current', current, 2 * index + 2) }));
