/** Numbers and times as people read them, always with their unit. */
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const count = (value: number): string => whole.format(value);

/** `1 row`, `2 rows`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** A share of 0 to 1 as a percentage. */
export const percent = (share: number, digits = 0): string => `${(share * 100).toFixed(digits)} %`;

/** A measured value: four significant digits, none for what is not defined. */
export const measured = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return count(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `350 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export const duration = (ms: number | null): string => {
  if (ms === null) return '–';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${Number((ms / SECOND).toFixed(1))} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
};

/** Distance of an instant from now, in words. */
export const distance = (at: number, now: number): string => {
  const ms = Math.abs(now - at);
  if (ms < 5 * SECOND) return 'now';
  const size = ms < MINUTE ? `${Math.floor(ms / SECOND)} s` : ms < HOUR ? `${Math.floor(ms / MINUTE)} min` : ms < DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`;
  return at > now ? `in ${size}` : `${size} ago`;
};

/** The instant in the reader's zone, with the zone's name. */
export const exactly = (at: string): string => exact.format(new Date(at));
export const clockTime = (at: string | number): string => clock.format(new Date(at));
export const dayTime = (at: string | number): string => day.format(new Date(at));

/** `rolledBack` as `rolled back`, `rocAuc` as `ROC AUC`. */
const NAMES: Record<string, string> = { rocAuc: 'ROC AUC', logLoss: 'log loss', brier: 'Brier score', f1: 'F1', rmse: 'RMSE', mae: 'MAE', r2: 'R²', expectedCalibrationError: 'calibration error', allAtOnce: 'all at once', ab: 'A/B', wasserstein: 'Wasserstein', jensenshannon: 'Jensen-Shannon', ks: 'Kolmogorov-Smirnov', psi: 'PSI', chisquare: 'chi-square', blueGreen: 'blue-green' };
export const words = (name: string): string => NAMES[name] ?? name.replaceAll(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);

/** The part of a run id that tells it from the others of its pipeline. */
export const shortId = (runId: string): string => runId.slice(runId.lastIndexOf('.') + 1).slice(0, 8);
