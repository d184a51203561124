import { expect, it } from 'vitest';
import { modelCard, type ModelCardFacts } from '../../../domain/model-card.ts';

const artifact = { uri: 'artifact://x', sha256: 'a'.repeat(64), bytes: 10 };
const facts: ModelCardFacts = {
  model: 'churn',
  version: 3,
  aliases: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  sha256: artifact.sha256,
  bytes: 10,
  signature: { task: 'binaryClassification', inputs: [{ name: 'age', datatype: 'FP32', shape: [-1, 1] }], outputs: [] } as never,
  evaluation: { rows: 100, positives: 20, candidate: { rocAuc: 0.76543, logLoss: null }, champion: null, comparisons: [], parity: null, report: artifact },
  gates: [{ gate: 'threshold', passed: true, reason: 'rocAuc 0.77 | <script>alert(1)</script>\n# heading' }],
  lineage: { runId: 'churn.1', pipeline: 'churn', pipelineVersion: 2, dataset: 'churn', datasetVersion: 'd', datasetManifest: artifact, featureSetVersion: 'f', featureSetManifest: artifact, trainer: 'lightgbm', seed: 7, resumedFrom: [] },
  features: null,
  dataset: null,
  params: {},
  rollouts: [],
  windows: [],
};

it('says what is known, and that the rest is not', () => {
  const card = modelCard(facts);
  expect(card).toContain('| rocAuc | 0.76543 |');
  expect(card).toContain('| logLoss | not defined |');
  expect(card).toContain('The feature set is not kept any more.');
  expect(card).toContain('No window of live traffic has been judged.');
});

it('text of users stays text: no HTML, no heading, no new cell', () => {
  const row = modelCard(facts).split('\n').find((line) => line.includes('script'));
  expect(row).toBe('| threshold | yes | rocAuc 0.77 \\| \\<script\\>alert\\(1\\)\\</script\\> \\# heading |');
});
