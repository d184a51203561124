import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EstimatedMetric } from '../../../contracts/quality.ts';
import { estimateQuality, qualityReferenceOf } from '../../../domain/performance-estimate/estimate.ts';
import { standardErrorOf } from '../../../domain/performance-estimate/sampling-error.ts';
import { qualityMetricsOf, type LabelledRows } from '../../../domain/window-quality.ts';

type Estimate = { value: number; samplingError: number; low: number; high: number; realized: number };
type Case = { versions: Record<string, string>; name: string; needsCalibration: boolean; chunkSize: number; reference: string; analysis: string; estimates: Record<EstimatedMetric, Estimate>[] };
const folder = new URL('../../references/fixtures/nannyml/', import.meta.url);
const cases = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Case);
const version = cases[0]?.versions['nannyml'];

/** Sixteen bits a row: score in ten-thousandths, then the label. */
const unpack = (text: string): LabelledRows => {
  const bytes = Buffer.from(text, 'base64');
  const packed = Array.from({ length: bytes.length / 2 }, (_, row) => bytes.readUInt16LE(2 * row));
  return { scores: Float64Array.from(packed, (row) => (row >> 1) / 10_000), labels: Uint8Array.from(packed, (row) => row & 1) };
};

const METRICS = ['rocAuc', 'accuracy', 'precision', 'recall', 'f1'] as const;

/** nannyml counts ranks of tied scores in the order in which they happen to lie: the error of ROC AUC is a little another one there. */
const ERROR_TOLERANCE = { rocAuc: 1e-4, accuracy: 1e-12, precision: 1e-12, recall: 1e-12, f1: 1e-12 };

describe.each(cases)(`estimates as nannyml ${version} makes them: $name`, ({ needsCalibration, chunkSize, reference, analysis, estimates }) => {
  const judged = qualityReferenceOf('binaryClassification', unpack(reference));
  const rows = unpack(analysis);
  const chunks = estimates.map((expected, chunk) => {
    const [from, to] = [chunk * chunkSize, (chunk + 1) * chunkSize];
    return { expected, scores: rows.scores.slice(from, to), labels: Array.from(rows.labels).slice(from, to) };
  });

  it('calibrates when nannyml does', () => expect(judged.curve !== null).toBe(needsCalibration));

  it.each(METRICS)('%s', (metric) => {
    for (const { expected, scores, labels } of chunks) {
      const estimate = estimateQuality(judged, scores)?.[metric];
      expect(Math.abs(estimate!.value - expected[metric].value)).toBeLessThan(1e-6);
      expect(Math.abs(standardErrorOf(judged.samplingErrors[metric]!, scores.length) - expected[metric].samplingError)).toBeLessThanOrEqual(ERROR_TOLERANCE[metric]);
      expect(Math.abs(estimate!.low - expected[metric].low)).toBeLessThan(1e-3);
      expect(Math.abs(estimate!.high - expected[metric].high)).toBeLessThan(1e-3);
      expect(Math.abs(qualityMetricsOf('binaryClassification', { scores, labels })[metric]! - expected[metric].realized)).toBeLessThan(1e-9);
    }
  });
});
