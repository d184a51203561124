/** Numbers and times as a report prints them. */
export const significant = (value: number | null, digits = 3): string => {
  if (value === null) return '–';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(digits)));
};

export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.095 ? 1 : 0)} %`;

export const grouped = (count: number): string => count.toLocaleString('en-US');

/** `2013-06-30 14:05` in UTC; the text itself when it is no time. */
export const moment = (iso: string): string => (Number.isNaN(Date.parse(iso)) ? iso : new Date(iso).toISOString().slice(0, 16).replace('T', ' '));

export const METHODS: Record<string, string> = { psi: 'PSI', ks: 'Kolmogorov–Smirnov', wasserstein: 'Wasserstein', jensenshannon: 'Jensen–Shannon', chisquare: 'chi-square', z: 'Z test' };

/** Methods whose score is a p-value: the smaller, the more drift. The others are distances. */
const P_VALUES: ReadonlySet<string> = new Set(['ks', 'chisquare', 'z']);

export const isPValue = (method: string): boolean => P_VALUES.has(method);

/** A score on a scale on which more is more drift, and the threshold lies where it does for distances. */
export const driftScale = ({ method, score, threshold }: { method: string; score: number | null; threshold: number | null }): number | null =>
  score === null || threshold === null || !isPValue(method) ? score : (threshold * threshold) / Math.max(score, threshold / 1_000);

/** The name of a drift method for people; an unknown one as it is. */
export const methodName = (method: string): string => METHODS[method.toLowerCase().replace(/[^a-z]/g, '')] ?? method;
