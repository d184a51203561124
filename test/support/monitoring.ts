/** Windows of a monitor and accounts of attempts, complete and valid, to be changed where a test cares. */
import type { MonitorWindow } from '../../contracts/monitor.ts';
import type { AttemptUse } from '../../contracts/resources.ts';
import { columnDrift } from './fakes.ts';

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
    columnDrift('distance', 0.02, { method: 'psi', threshold: 0.25 }),
    columnDrift('wind', 0.8, { method: 'psi', threshold: 0.25 }),
    columnDrift('carrier', 0.12),
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
