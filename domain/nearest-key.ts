/** Finds the word that a user most likely meant. */

/** Distance of two words: insertions, deletions, substitutions and swaps of neighbours that turn one into the other. */
export const editDistance = (from: string, to: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1;
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
};

const LONGEST_WORD = 64;

/** How words are compared: `maximum_drop` and `MaximumDrop` mean `maximumDrop`. */
const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_ ]/g, '');

/**
 * The candidate nearest to `word`; undefined when none is near enough to be meant (more than a third of the letters differ)
 * or the word is too long to be a slip. Of two equally near ones the first.
 */
export const nearestKey = (word: string, candidates: readonly string[]): string | undefined => {
  if (word.length > LONGEST_WORD) return undefined;
  const meant = plain(word);
  let nearest: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(meant, plain(candidate));
    const limit = Math.max(1, Math.floor(Math.max(meant.length, candidate.length) / 3));
    if (distance <= limit && (nearest === undefined || distance < nearest.distance)) nearest = { candidate, distance };
  }
  return nearest?.candidate;
};
