/** An open incident, complete and valid, to be changed where a test cares. */
import type { AlertView } from '../../contracts/alert.ts';

export const alertView = (changes: Partial<AlertView> = {}): AlertView => ({
  alertId: '0b6f6f0e-3c0f-4a6c-9d53-0d2f64d8a001',
  model: 'flights',
  kind: 'drift',
  subject: 'champion',
  pipeline: 'flights',
  labels: {},
  state: 'open',
  reason: 'drift',
  occurrences: 1,
  openedBy: '1/7',
  openedAt: '2026-01-01T00:00:00.000Z',
  escalatedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  resolvedBy: null,
  comment: null,
  revision: 1,
  ...changes,
});
