/** Standard functions on which searches are compared with Optuna; the same in test/references/optuna_references.py. */
import { SearchSpec, type FinishedTrial, type SearchSpace, type TrialParams } from '../../../contracts/search.ts';
import { sampleBatch } from '../../../domain/search/sampler.ts';

export type StandardFunction = { space: SearchSpace; value: (params: TrialParams) => number };

const number = (params: TrialParams, name: string): number => params[name] as number;
const vector = (params: TrialParams, count: number): number[] => Array.from({ length: count }, (_, index) => number(params, `x${index}`));
const box = (count: number, min: number, max: number): object => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, { type: 'number', min, max }]));
const sum = (terms: number[]): number => terms.reduce((total, term) => total + term, 0);
const define = (space: object, value: StandardFunction['value']): StandardFunction => ({ space: SearchSpec.parse({ space }).space, value });

const A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]];
const P = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const ALPHA = [1, 1.2, 3, 3.2];

export const STANDARD_FUNCTIONS: Record<string, StandardFunction> = {
  branin: define({ x: { type: 'number', min: -5, max: 10 }, y: { type: 'number', min: 0, max: 15 } }, (params) => {
    const [x, y] = [number(params, 'x'), number(params, 'y')];
    return (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  }),
  hartmann6: define(box(6, 0, 1), (params) => {
    const x = vector(params, 6);
    return -sum(ALPHA.map((alpha, row) => alpha * Math.exp(-sum(x.map((value, index) => A[row]![index]! * (value - P[row]![index]!) ** 2)))));
  }),
  rosenbrock4: define(box(4, -2.048, 2.048), (params) => {
    const x = vector(params, 4);
    return sum([0, 1, 2].map((index) => 100 * (x[index + 1]! - x[index]! ** 2) ** 2 + (1 - x[index]!) ** 2));
  }),
  sphere5: define(box(5, -5.12, 5.12), (params) => sum(vector(params, 5).map((value) => value ** 2))),
  rastrigin3: define(box(3, -5.12, 5.12), (params) => 30 + sum(vector(params, 3).map((value) => value ** 2 - 10 * Math.cos(2 * Math.PI * value)))),
  mixed: define(
    { rate: { type: 'number', min: 0.0001, max: 1, log: true }, leaves: { type: 'integer', min: 2, max: 512, log: true }, depth: { type: 'integer', min: 2, max: 20, step: 2 }, kind: { type: 'categorical', values: ['a', 'b', 'c'] } },
    (params) =>
      (Math.log10(number(params, 'rate')) + 1.5) ** 2 + 0.2 * (Math.log2(number(params, 'leaves')) - 5) ** 2 + 0.1 * Math.abs(number(params, 'depth') - 6) + { a: 0, b: 0.3, c: 0.6 }[params['kind'] as 'a' | 'b' | 'c'],
  ),
};

/** The best value that a search of one trial after the other finds. */
export const bestOfSearch = ({ space, value }: StandardFunction, { sampler, seed, trials }: { sampler: 'tpe' | 'random'; seed: number; trials: number }): number => {
  const search = SearchSpec.parse({ space, sampler, trials });
  const finished: FinishedTrial[] = [];
  for (let first = 0; first < trials; first += 1) {
    const [params] = sampleBatch(search, { first, count: 1, seed }, { finished, lossOf: (loss) => loss });
    finished.push({ number: first, params: params!, state: 'succeeded', value: value(params!), rung: null });
  }
  return Math.min(...finished.map((trial) => trial.value!));
};
