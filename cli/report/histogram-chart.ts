/** Reference against current: two bars per bin, as shares of all rows, so that windows of any size compare. */
import type { ColumnHistogram } from '../../contracts/monitor-report.ts';
import { markup, type Markup } from './markup.ts';
import { percent } from './numbers.ts';

const WIDTH = 320;
const PLOT = 96;
const TOP = 16;
/** Slanted names begin left of their bar. */
const SIDE = 14;
const LABELS = 34;
const MOST_LETTERS = 9;

/** Missing values stand in the last bin, under the name that has room there. */
const MISSING = 'missing';

const shorten = (text: string): string => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text);

/** Of many numeric bins the first, the middle and the last are named, and the missing values; categories all are, slanted. */
const isNamed = (index: number, bins: ColumnHistogram['bins'], type: ColumnHistogram['type']): boolean => {
  if (type === 'categorical' || bins.length <= 5) return true;
  const isMissingLast = bins.at(-1)?.label === MISSING;
  return index === 0 || index === bins.length - 1 || index === Math.floor(bins.length / 2) || (isMissingLast && index === bins.length - 2);
};

export const histogramChart = ({ bins, type, column }: ColumnHistogram): Markup => {
  const total = (side: 'reference' | 'current'): number => bins.reduce((sum, bin) => sum + bin[side], 0) || 1;
  const [reference, current] = [total('reference'), total('current')];
  const shares = bins.map((bin) => ({ label: bin.label, reference: bin.reference / reference, current: bin.current / current }));
  const top = Math.max(...shares.flatMap((share) => [share.reference, share.current]), 0.01);
  const step = WIDTH / Math.max(1, bins.length);
  const bar = Math.max(2, step * 0.4);
  const height = (share: number): number => (share / top) * PLOT;
  const groups = shares.map((share, index) => {
    const left = index * step + (step - 2 * bar) / 2;
    const rect = (side: 'reference' | 'current', x: number): Markup =>
      markup`<rect class="${side}" x="${x.toFixed(1)}" y="${(TOP + PLOT - height(share[side])).toFixed(1)}" width="${bar.toFixed(1)}" height="${Math.max(0.5, height(share[side])).toFixed(1)}" rx="1"/>`;
    const middle = (index + 0.5) * step;
    const slanted = markup`<text class="axis" x="${middle.toFixed(1)}" y="${TOP + PLOT + 11}" text-anchor="end" transform="rotate(-32 ${middle.toFixed(1)} ${TOP + PLOT + 11})">${shorten(share.label)}</text>`;
    // Many narrow bins have long names: those at the ends grow inwards.
    const isTight = type === 'numeric' && bins.length > 5;
    const isMissing = share.label === MISSING && isTight;
    const isLast = isTight && index >= bins.length - 2 && !isMissing;
    const isFirst = isTight && index === 0;
    const anchor = isFirst ? 'start' : isLast ? 'end' : 'middle';
    const shift = isFirst ? -step / 2 : isLast ? step / 2 : isMissing ? SIDE / 2 : 0;
    const level = markup`<text class="axis" x="${(middle + shift).toFixed(1)}" y="${TOP + PLOT + 13}" text-anchor="${anchor}">${isMissing ? 'NA' : share.label}</text>`;
    const label = isNamed(index, bins, type) ? (type === 'categorical' && bins.length > 5 ? slanted : level) : null;
    return markup`<g><title>${share.label}: reference ${percent(share.reference)}, current ${percent(share.current)}</title><rect class="hover" x="${(index * step).toFixed(1)}" y="${TOP}" width="${step.toFixed(1)}" height="${PLOT}"/>${rect('reference', left)}${rect('current', left + bar)}${label}</g>`;
  });
  return markup`<svg class="histogram" viewBox="${-SIDE} 0 ${WIDTH + 2 * SIDE} ${TOP + PLOT + LABELS}" role="img" aria-label="Histogram of ${column}"><line class="base" x1="0" x2="${WIDTH}" y1="${TOP + PLOT}" y2="${TOP + PLOT}"/>${groups}<text class="axis" x="${WIDTH}" y="${TOP - 6}" text-anchor="end">${percent(top)}</text></svg>`;
};
