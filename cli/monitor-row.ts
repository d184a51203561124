/** One window of a monitor as a line of a table. */
import type { MonitorWindow } from './answers.ts';

const fixed = (value: number): string => value.toFixed(3);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const orDash = (value: number | null, show: (value: number) => string): string => (value === null ? '-' : show(value));

const qualityOf = ({ quality, qualityDropped, judgedBy }: MonitorWindow): string => `${orDash(quality, fixed)}${qualityDropped ? ` DROPPED${judgedBy === 'estimate' ? ' (estimated)' : ''}` : ''}`;

const conceptOf = ({ concept }: MonitorWindow): string => {
  if (concept === null || concept === undefined) return '-';
  return `${concept.detector} ${concept.detected ? 'DETECTED' : concept.warning ? 'warns' : 'calm'}`;
};

/** Cells by name; what a window of before does not have is a dash. */
export const monitorRow = (window: MonitorWindow): Record<string, unknown> => ({
  ...window,
  labelled: `${window.labelled} (${percent(window.rows === 0 ? 0 : window.labelled / window.rows)})`,
  drift: `${fixed(window.driftScore)}${window.drifted ? ' DRIFTED' : ''}`,
  quality: qualityOf(window),
  judged: orDash(window.judgedQuality, fixed),
  estimate: orDash(window.estimatedQuality ?? null, fixed),
  concept: conceptOf(window),
  refused: window.inputs ? `${window.inputs.refused} (${percent(window.inputs.refusedShare)})` : '-',
  unlike: window.inputs ? percent(window.inputs.unlikeTraining) : '-',
});
