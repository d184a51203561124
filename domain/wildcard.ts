/** Globs of source files: `*` any characters of one name, `?` one of them, `**` any folders; all else stands for itself. */

export const hasWildcard = (text: string): boolean => /[*?]/.test(text);

/**
 * True when the name matches the pattern of one path segment. A leading dot must be written: `*` does not mean hidden files.
 * It goes back to the last star only, so its time is at most the product of both lengths.
 */
export const matchesWildcard = (pattern: string, name: string): boolean => {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let [inPattern, inName] = [0, 0];
  let star = -1;
  let afterStar = 0;
  while (inName < name.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      star = inPattern;
      afterStar = inName;
      inPattern += 1;
    } else if (wanted === '?' || wanted === name[inName]) {
      inPattern += 1;
      inName += 1;
    } else if (star >= 0) {
      afterStar += 1;
      inName = afterStar;
      inPattern = star + 1;
    } else {
      return false;
    }
  }
  return [...pattern.slice(inPattern)].every((rest) => rest === '*');
};
