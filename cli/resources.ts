/** Used resources and their cost, as the command line prints them. */
const MEBIBYTE = 2 ** 20;

export type Use = { cpuSeconds: number; memoryGibSeconds: number; peakMemoryBytes: number; gpuSeconds: number; storedBytes: number; cost: { total: number } | null };

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3));

/** Small amounts keep their digits: a step may cost a thousandth of a cent. */
export const money = (amount: number, currency: string | null): string => `${amount === 0 || amount >= 0.01 ? amount.toFixed(2) : amount.toPrecision(2)} ${currency ?? ''}`.trim();

export const USE_COLUMNS = ['cpu s', 'GiB s', 'peak MiB', 'gpu s', 'stored MiB', 'cost'];

/** One row of a table with USE_COLUMNS. */
export const useRow = (use: Use, currency: string | null): Record<string, string> => ({
  'cpu s': rounded(use.cpuSeconds),
  'GiB s': rounded(use.memoryGibSeconds),
  'peak MiB': rounded(use.peakMemoryBytes / MEBIBYTE),
  'gpu s': rounded(use.gpuSeconds),
  'stored MiB': rounded(use.storedBytes / MEBIBYTE),
  cost: use.cost === null ? '-' : money(use.cost.total, currency),
});

/** `used 12.3 s of CPU, at most 350 MiB, 0.02 EUR`. */
export const useText = (use: Use, currency: string | null): string => {
  const gpu = use.gpuSeconds > 0 ? `, ${rounded(use.gpuSeconds)} s of GPU` : '';
  const cost = use.cost === null ? '' : `, ${money(use.cost.total, currency)}`;
  return `used ${rounded(use.cpuSeconds)} s of CPU, at most ${rounded(use.peakMemoryBytes / MEBIBYTE)} MiB${gpu}${cost}`;
};
