import { describe, expect, it } from 'vitest';
import { askAgainDelayMs } from '../../../domain/waiting.ts';

const HOUR_MS = 3_600_000;

describe('askAgainDelayMs', () => {
  it('begins at 2 s, grows to 60 s, and beyond only after an hour', () => {
    expect([0, 20_000, 300_000, 600_000, HOUR_MS, 24 * HOUR_MS].map(askAgainDelayMs)).toEqual([2_000, 2_000, 30_000, 60_000, 60_000, 1_440_000]);
  });

  it('asks some hundred times in a month', () => {
    let questions = 0;
    for (let waitedMs = 0; waitedMs < 30 * 24 * HOUR_MS; questions += 1) waitedMs += askAgainDelayMs(waitedMs);
    expect(questions).toBeLessThan(600);
  });
});
