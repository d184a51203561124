import { describe, expect, it } from 'vitest';
import type { MonitorWindow } from '../../../cli/answers.ts';
import { monitorRow } from '../../../cli/monitor-row.ts';

const window: MonitorWindow = { window: 3, rows: 1_000, labelled: 640, driftScore: 0.25, drifted: false, quality: 0.7123, judgedQuality: 0.756, qualityDropped: true, judgedBy: 'labels' };

describe('a window of a monitor as a line', () => {
  it('has a dash for everything that is not known', () => {
    expect(monitorRow(window)).toMatchObject({ labelled: '640 (64.0 %)', drift: '0.250', quality: '0.712 DROPPED', judged: '0.756', estimate: '-', concept: '-', refused: '-', unlike: '-' });
    expect(monitorRow({ ...window, quality: null, judgedQuality: null, qualityDropped: false, rows: 0, labelled: 0 })).toMatchObject({ labelled: '0 (0.0 %)', quality: '-', judged: '-' });
  });

  it('says what is estimated, what the detector found, and what was refused', () => {
    const full: MonitorWindow = {
      ...window,
      quality: null,
      judgedBy: 'estimate',
      estimatedQuality: 0.7,
      concept: { detector: 'adwin', detected: true, warning: false, labels: 640 },
      inputs: { refused: 12, refusedShare: 0.0119, unlikeTraining: 0.034 },
    };
    expect(monitorRow(full)).toMatchObject({ quality: '- DROPPED (estimated)', estimate: '0.700', concept: 'adwin DETECTED', refused: '12 (1.2 %)', unlike: '3.4 %' });
    expect(monitorRow({ ...full, concept: { detector: 'ddm', detected: false, warning: true, labels: 1 } })).toMatchObject({ concept: 'ddm warns' });
    expect(monitorRow({ ...full, concept: { detector: 'ddm', detected: false, warning: false, labels: 1 } })).toMatchObject({ concept: 'ddm calm' });
  });
});
