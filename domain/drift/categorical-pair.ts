/** Two categorical distributions over the same categories. */
import type { CategoricalDistribution } from '../../contracts/features.ts';
import type { CategoryPair } from './proportions.ts';

/** `names` in the order of the counts; null is everything that neither side keeps by name. */
export type NamedPair = CategoryPair & { names: (string | null)[] };

const countsByName = ({ categories, counts }: CategoricalDistribution): Map<string, number> => new Map(categories.map((name, index) => [name, counts[index] ?? 0]));

/** All categories with rows on either side, in the order of their names. */
export const categoricalPair = (reference: CategoricalDistribution, current: CategoricalDistribution): NamedPair => {
  const [left, right] = [countsByName(reference), countsByName(current)];
  const named = [...new Set([...left.keys(), ...right.keys()])].sort().filter((name) => (left.get(name) ?? 0) + (right.get(name) ?? 0) > 0);
  const [leftOthers, rightOthers] = [reference.counts.at(-1) ?? 0, current.counts.at(-1) ?? 0];
  const hasOthers = leftOthers + rightOthers > 0;
  return {
    names: hasOthers ? [...named, null] : named,
    reference: [...named.map((name) => left.get(name) ?? 0), ...(hasOthers ? [leftOthers] : [])],
    current: [...named.map((name) => right.get(name) ?? 0), ...(hasOthers ? [rightOthers] : [])],
  };
};

/** Names that only the current side has, most frequent first; none are known where the reference does not keep all of its own. */
export const newCategories = (reference: CategoricalDistribution, current: CategoricalDistribution): { names: string[]; rows: number } => {
  if ((reference.counts.at(-1) ?? 0) > 0) return { names: [], rows: 0 };
  const known = new Set(reference.categories);
  const found = [...countsByName(current)].filter(([name, rows]) => rows > 0 && !known.has(name)).sort((left, right) => right[1] - left[1]);
  return { names: found.map(([name]) => name), rows: found.reduce((total, [, rows]) => total + rows, current.counts.at(-1) ?? 0) };
};
