/** Gates that contradict themselves or the pipeline: each of them would say no to every run. */
import type { Task } from '../../contracts/features.ts';
import type { Gate, GateSpec } from '../../contracts/gate.ts';
import type { ModelPipelineSpec } from '../../contracts/pipeline.ts';
import { metricNamesOf } from '../../domain/metrics.ts';
import { nearestKey } from '../../domain/nearest-key.ts';
import type { FieldError } from '../http/problem.ts';

type Range = { min?: number | undefined; max?: number | undefined };

export const rangeErrors = (path: string, { min, max }: Range): FieldError[] => {
  if (min === undefined && max === undefined) return [{ path, message: 'needs min or max, or it says nothing', fix: 'Add min, max or both.' }];
  if (min !== undefined && max !== undefined && min > max) return [{ path, message: `min ${min} is above max ${max}`, fix: 'Exchange them, or correct one.' }];
  return [];
};

/** A metric that a model of the task does not have would end every run, or be watched for ever without a value. */
export const metricErrors = (metric: string, known: readonly string[], { path, task }: { path: string; task: Task }): FieldError[] =>
  known.includes(metric) ? [] : [{ path, message: `${metric} is no metric of ${task}`, fix: `Use one of ${known.join(', ')}, or correct features.task.` }];

/** Columns that the held-out rows have. */
const columnsOf = ({ features }: ModelPipelineSpec): string[] => [...features.columns.map(({ name }) => name), ...features.identity, features.eventTime];

const columnErrors = (name: string, columns: readonly string[], path: string): FieldError[] => {
  if (columns.includes(name)) return [];
  const nearest = nearestKey(name, columns);
  const hint = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
  return [{ path, message: `"${name}" is no column of the features`, fix: `${hint}Name one of features.columns or features.identity: ${columns.slice(0, 20).join(', ')}.` }];
};

const fairnessErrors = ({ measure, min, max }: Gate<'fairness'>, path: string): FieldError[] => {
  const isRatio = measure === 'disparateImpact';
  const [wanted, given] = isRatio ? ['min', min] : ['max', max];
  if (given === undefined) return [{ path: `${path}.${wanted}`, message: `${measure} ${isRatio ? 'is a ratio, 1 at best' : 'is a difference, 0 at best'}: it needs ${wanted}`, fix: `Add ${wanted}, such as ${isRatio ? '0.8' : '0.1'}.` }];
  if ((isRatio ? max : min) !== undefined) return [{ path: `${path}.${isRatio ? 'max' : 'min'}`, message: `a bound on the better side of ${measure}`, fix: `Take it out, and keep ${wanted}.` }];
  return [];
};

const mcnemarErrors = ({ metric, cluster }: Gate<'champion'>, path: string): FieldError[] => {
  if (metric !== 'accuracy') return [{ path: `${path}.metric`, message: `McNemar's test compares right and wrong decisions, not ${metric}`, fix: 'Use the metric accuracy, or test: bootstrap.' }];
  if (cluster !== undefined) return [{ path: `${path}.cluster`, message: "McNemar's test takes every row for itself and knows no clusters", fix: 'Take cluster out, or use test: bootstrap.' }];
  return [];
};

/** Gates that read decisions or probabilities, which a regression does not give. */
const needsClasses = (gate: GateSpec): boolean => gate.kind === 'fairness' || gate.kind === 'calibration' || (gate.kind === 'champion' && gate.test === 'mcnemar');

const ofTask = (gate: GateSpec, task: Task, path: string): FieldError[] => {
  if (task === 'regression' && needsClasses(gate)) {
    const what = gate.kind === 'champion' ? "McNemar's test" : `a ${gate.kind} gate`;
    return [{ path: gate.kind === 'champion' ? `${path}.test` : `${path}.kind`, message: `${what} needs classes, and features.task is regression`, fix: 'Take it out, or correct features.task.' }];
  }
  return 'metric' in gate ? metricErrors(gate.metric, metricNamesOf(task), { path: `${path}.metric`, task }) : [];
};

/** @param path of the gate in the pipeline */
export const gateErrors = (gate: GateSpec, spec: ModelPipelineSpec, path: string): FieldError[] => {
  const columns = columnsOf(spec);
  return [
    ...ofTask(gate, spec.features.task, path),
    ...(gate.kind === 'threshold' || gate.kind === 'slice' ? rangeErrors(path, gate) : []),
    ...(gate.kind === 'fairness' ? fairnessErrors(gate, path) : []),
    ...(gate.kind === 'champion' && gate.test === 'mcnemar' ? mcnemarErrors(gate, path) : []),
    ...('column' in gate ? columnErrors(gate.column, columns, `${path}.column`) : []),
    ...('cluster' in gate && gate.cluster !== undefined ? columnErrors(gate.cluster, columns, `${path}.cluster`) : []),
  ];
};
