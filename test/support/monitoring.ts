/** Windows of a monitor and accounts of attempts, complete and valid, to be changed where a test cares. */
import type { ColumnDrift, MonitorWindow } from '../../contracts/monitor.ts';
import type { AttemptUse } from '../../contracts/resources.ts';

export const columnDrift = (column: string, changes: Partial<ColumnDrift> = {}): ColumnDrift => ({
  column,
  method: 'psi',
  score: 0.02,
  threshold: 0.1,
  adjusted: null,
  drifted: false,
  missing: { reference: 0, current: 0, drifted: false },
  newCategories: [],
  newShare: 0,
  ...changes,
});

/** A window of an hour in which `wind` and `carrier` drifted. */
export const driftWindow = (window: number, changes: Partial<MonitorWindow> = {}): MonitorWindow => ({
  window,
  version: 1,
  from: new Date(Date.UTC(2026, 4, 1, window)).toISOString(),
  to: new Date(Date.UTC(2026, 4, 1, window + 1)).toISOString(),
  rows: 1_000,
  labelled: 0,
  driftScore: 0.667,
  drifted: true,
  columns: [
    columnDrift('distance'),
    columnDrift('wind', { score: 0.8, drifted: true }),
    columnDrift('carrier', { method: 'wasserstein', score: 0.12, drifted: true }),
  ],
  prediction: null,
  quality: null,
  judgedQuality: 0.75,
  qualityDropped: false,
  ...changes,
});

export const attemptUse = (attempt: number, changes: Partial<AttemptUse> = {}): AttemptUse => ({
  attempt,
  waitingSeconds: 0.25,
  durationSeconds: 12.5,
  cpuSeconds: 20,
  memoryGibSeconds: 0,
  peakMemoryBytes: 0,
  gpuSeconds: 0,
  gpuPeakMemoryBytes: 0,
  storedBytes: 0,
  ...changes,
});
