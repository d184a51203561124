/** Adds up what was used, and prices it. */
import type { Cost, PriceTable, ResourceUse } from '../contracts/resources.ts';

export const BYTES_PER_GIB = 2 ** 30;

export const noUse = (): ResourceUse => ({ cpuSeconds: 0, memoryGibSeconds: 0, peakMemoryBytes: 0, gpuSeconds: 0, gpuPeakMemoryBytes: 0, storedBytes: 0 });

/** The sum; of peaks, which were not at one time, the highest. */
export const sumUse = (uses: readonly ResourceUse[]): ResourceUse =>
  uses.reduce(
    (sum, use) => ({
      cpuSeconds: sum.cpuSeconds + use.cpuSeconds,
      memoryGibSeconds: sum.memoryGibSeconds + use.memoryGibSeconds,
      peakMemoryBytes: Math.max(sum.peakMemoryBytes, use.peakMemoryBytes),
      gpuSeconds: sum.gpuSeconds + use.gpuSeconds,
      gpuPeakMemoryBytes: Math.max(sum.gpuPeakMemoryBytes, use.gpuPeakMemoryBytes),
      storedBytes: sum.storedBytes + use.storedBytes,
    }),
    noUse(),
  );

/** The price of what was used; null where no prices are declared, because "free" would be a lie. */
export const costOf = (use: ResourceUse, prices: PriceTable | null): Cost | null => {
  if (prices === null) return null;
  const cpu = use.cpuSeconds * prices.cpuSecond;
  const memory = use.memoryGibSeconds * prices.memoryGibSecond;
  const gpu = use.gpuSeconds * prices.gpuSecond;
  const storage = (use.storedBytes / BYTES_PER_GIB) * prices.storedGib;
  return { cpu, memory, gpu, storage, total: cpu + memory + gpu + storage };
};
