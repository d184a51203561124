/** The difference of two texts by lines: the longest common subsequence stays, the rest was removed or added. */
export type DiffLine = { kind: 'same' | 'added' | 'removed'; text: string };

/** Beyond this the table would be too large for a page; then all is shown as replaced. */
const MOST_CELLS = 4_000_000;

/** lengths[i * width + j]: length of the longest common subsequence of what follows line i and line j. */
const commonLengths = (before: string[], after: string[]): Uint32Array => {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = before[i] === after[j] ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  return lengths;
};

const all = (kind: DiffLine['kind'], texts: string[]): DiffLine[] => texts.map((text) => ({ kind, text }));

export const diffLines = (one: string, other: string): DiffLine[] => {
  const [before, after] = [one.split('\n'), other.split('\n')];
  if (before.length * after.length > MOST_CELLS) return [...all('removed', before), ...all('added', after)];
  const lengths = commonLengths(before, after);
  const width = after.length + 1;
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ kind: 'same', text: before[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) {
      lines.push({ kind: 'removed', text: before[i] ?? '' });
      i += 1;
    } else {
      lines.push({ kind: 'added', text: after[j] ?? '' });
      j += 1;
    }
  }
  return [...lines, ...all('removed', before.slice(i)), ...all('added', after.slice(j))];
};
