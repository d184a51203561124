/** A run's colour, from its id alone: the same in every plot and after every reload. */
const HUES = 24;

const hash = (text: string): number => {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 16_777_619) >>> 0;
  return value;
};

export const runColour = (runId: string, isDark: boolean): string => {
  const value = hash(runId);
  const hue = ((value % HUES) * 360) / HUES;
  return `hsl(${hue.toFixed(0)}, ${60 + ((value >>> 8) % 3) * 10}%, ${isDark ? 68 : 38}%)`;
};
