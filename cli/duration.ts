/** Times such as 90s, 15m, 12h or 7d on the command line. */
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const TIME = /^(\d+)([smhd])$/;

/** Seconds of such a text; undefined for any other, and for a number of more than `mostDigits`. */
export const durationSeconds = (text: string, mostDigits: number): number | undefined => {
  const [, count = '', unit = ''] = TIME.exec(text) ?? [];
  const factor = SECONDS[unit];
  return factor === undefined || count.length > mostDigits ? undefined : Number(count) * factor;
};
