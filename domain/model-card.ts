/** A model card (Mitchell et al. 2019, "Model Cards for Model Reporting") of recorded facts alone: what nobody measured is not in it. */
import type { FeatureSetManifest, ModelSignature } from '../contracts/features.ts';
import type { EvaluationReport, Lineage } from '../contracts/model.ts';
import type { MonitorWindow } from '../contracts/monitor.ts';
import type { RolloutOutcome } from '../contracts/rollout.ts';

export type ModelCardFacts = {
  model: string;
  version: number;
  aliases: readonly string[];
  createdAt: string;
  sha256: string;
  bytes: number;
  signature: ModelSignature;
  evaluation: EvaluationReport;
  gates: readonly { gate: string; passed: boolean; reason: string }[];
  lineage: Lineage;
  /** Null when the feature set is not kept any more. */
  features: Pick<FeatureSetManifest, 'sqlHash' | 'split' | 'identity' | 'eventTime' | 'label' | 'columns' | 'trainRows' | 'holdoutRows'> | null;
  dataset: { rows: number; bytes: number; files: number } | null;
  /** Parameters of the training as the pipeline version declares them. */
  params: Readonly<Record<string, string | number | boolean>>;
  rollouts: readonly { startedAt: string; outcome: RolloutOutcome | null }[];
  /** The newest windows of live traffic, oldest first. */
  windows: readonly MonitorWindow[];
};

/** Text of a user in Markdown: it stays in its cell, and is neither a link nor HTML. */
const text = (value: unknown): string => String(value).replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]()#+!|<>~&]/g, '\\$&');

const number = (value: number | null | undefined): string => (value === null || value === undefined ? 'not defined' : Number.isInteger(value) ? String(value) : value.toPrecision(5));

const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? ['None.'] : [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...rows.map((row) => `| ${row.join(' | ')} |`)];

const about = ({ lineage, aliases, createdAt, sha256, bytes, signature, params }: ModelCardFacts): string[] => [
  `- Registered ${createdAt} by run \`${lineage.runId}\` of pipeline ${text(lineage.pipeline)}, version ${lineage.pipelineVersion}.`,
  `- Aliases: ${aliases.length === 0 ? 'none' : aliases.map(text).join(', ')}.`,
  `- Task: ${text(signature.task)}. Trainer: ${text(lineage.trainer)}, seed ${lineage.seed}${lineage.resumedFrom.length === 0 ? '' : `, resumed from ${lineage.resumedFrom.length} checkpoints`}.`,
  `- Parameters: ${Object.keys(params).length === 0 ? "the trainer's defaults" : Object.entries(params).map(([name, value]) => `${text(name)} = ${text(value)}`).join(', ')}.`,
  `- Model file: ONNX, ${bytes} bytes, sha256 \`${sha256}\`.`,
];

const training = ({ features, dataset, lineage }: ModelCardFacts): string[] => [
  `- Dataset ${text(lineage.dataset)}, version \`${lineage.datasetVersion}\`${dataset === null ? '' : `: ${dataset.rows} rows in ${dataset.files} files, ${dataset.bytes} bytes`}.`,
  `- Feature set \`${lineage.featureSetVersion}\`${features === null ? '' : `: SQL with sha256 \`${features.sqlHash}\`, label ${text(features.label)}, event time ${text(features.eventTime)}, identity ${features.identity.map(text).join(', ')}`}.`,
  ...(features === null
    ? []
    : [`- Trained on ${features.trainRows} rows from ${features.split.trainFrom} to ${features.split.holdoutFrom}; judged on ${features.holdoutRows} rows from there to ${features.split.holdoutUntil}, which the training did not see.`]),
];

const inputs = ({ features }: ModelCardFacts): string[] => (features === null ? ['The feature set is not kept any more.'] : table(['input', 'type', 'missing values'], features.columns.map(({ name, type, missing }) => [text(name), type, missing])));

const quality = ({ evaluation }: ModelCardFacts): string[] => {
  const names = Object.keys(evaluation.candidate) as (keyof typeof evaluation.candidate)[];
  const champion = evaluation.champion;
  const columns = ['metric', 'this version', ...(champion === null ? [] : [`champion then (version ${champion.version})`])];
  return [
    `On ${evaluation.rows} held-out rows${evaluation.positives === null ? '' : `, ${evaluation.positives} of them positive`}:`,
    '',
    ...table(columns, names.map((name) => [name, number(evaluation.candidate[name]), ...(champion === null ? [] : [number(champion.metrics[name])])])),
    ...evaluation.comparisons.map(({ metric, difference, low, high, confidence, groups }) => `\nDifference of ${metric} to the champion: ${number(difference)}, ${confidence * 100} % interval ${number(low)} to ${number(high)} (paired bootstrap over ${groups} groups; positive is better).`),
    ...(evaluation.parity === null ? [] : [`\nONNX Runtime and the trainer's own predictions differ by at most ${evaluation.parity.largestDifference.toExponential(1)} over ${evaluation.parity.rows} rows.`]),
  ];
};

const live = ({ rollouts, windows }: ModelCardFacts): string[] => {
  const newest = windows.at(-1);
  return [
    ...table(['rollout', 'outcome', 'reason'], rollouts.map(({ startedAt, outcome }) => [startedAt, outcome?.kind ?? 'running', outcome === null || outcome.kind === 'promoted' ? '' : text(outcome.reason)])),
    '',
    newest === undefined
      ? 'No window of live traffic has been judged.'
      : `Newest of ${windows.length} windows (${newest.from} to ${newest.to}, ${newest.rows} predictions, ${newest.labelled} labels): drift score ${number(newest.driftScore)}${newest.drifted ? ', drifted' : ''}; ${newest.metric ?? 'quality'} ${number(newest.quality)}${newest.qualityDropped ? ', dropped' : ''}.`,
  ];
};

/** The card as Markdown. */
export const modelCard = (facts: ModelCardFacts): string => {
  const sections: [string, string[]][] = [
    ['Model', about(facts)],
    ['Training data', training(facts)],
    ['Inputs', inputs(facts)],
    ['Quality', quality(facts)],
    ['Gates', table(['gate', 'passed', 'reason'], facts.gates.map(({ gate, passed, reason }) => [text(gate), passed ? 'yes' : 'no', text(reason)]))],
    ['In service', live(facts)],
  ];
  return [`# ${text(facts.model)}, version ${facts.version}`, ...sections.flatMap(([title, lines]) => ['', `## ${title}`, '', ...lines]), ''].join('\n');
};
