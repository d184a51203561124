/** What a schema cannot say: parts of a pipeline that contradict each other, each of which would end a run later. */
import type { DataCheck } from '../../contracts/data-check.ts';
import type { ModelPipelineSpec, PipelineSpec, StepsPipelineSpec } from '../../contracts/pipeline.ts';
import type { AbPlan, CanaryPlan, RolloutPlan, ShadowPlan } from '../../contracts/rollout-plan.ts';
import { EstimatedMetric } from '../../contracts/quality.ts';
import { schedulesOf } from '../../contracts/schedule.ts';
import { analysisOf, isObservation } from '../../domain/rollout-steps.ts';
import { nearestKey } from '../../domain/nearest-key.ts';
import { scheduleProblems } from '../../domain/schedules.ts';
import { watchableMetricsOf, watchedMetricOf } from '../../domain/window-quality.ts';
import type { FieldError } from '../http/problem.ts';
import { gateErrors, metricErrors, rangeErrors } from './gate-contradictions.ts';
import { searchErrors } from './search-contradictions.ts';

const duplicates = (names: readonly string[]): { name: string; index: number }[] =>
  names.map((name, index) => ({ name, index })).filter(({ name, index }) => names.indexOf(name) < index);

const sourceErrors = (spec: ModelPipelineSpec): FieldError[] =>
  Object.keys(spec.source.tables).length > 0 ? [] : [{ path: 'source.tables', message: 'names no table', fix: 'Add a table with its files.' }];

const checkErrors = (check: DataCheck, place: { path: string; tables: string[] }): FieldError[] => {
  const errors = check.kind === 'range' || check.kind === 'rowCount' ? rangeErrors(place.path, check) : [];
  const named = [{ path: `${place.path}.table`, table: check.table }, ...(check.kind === 'foreignKey' ? [{ path: `${place.path}.references.table`, table: check.references.table }] : [])];
  const absent = named.filter(({ table }) => !place.tables.includes(table)).map(({ path, table }) => {
    const nearest = nearestKey(table, place.tables);
    const hint = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
    return { path, message: `there is no table "${table}" in source.tables`, fix: `${hint}Tables: ${place.tables.join(', ')}.` };
  });
  const [own, theirs] = check.kind === 'foreignKey' ? [check.columns.length, check.references.columns.length] : [0, 0];
  const unequal = own === theirs ? [] : [{ path: `${place.path}.references.columns`, message: `${own} columns cannot refer to ${theirs}`, fix: 'Name as many columns as in columns, in the same order.' }];
  return [...errors, ...absent, ...unequal];
};

const featureErrors = ({ features }: ModelPipelineSpec): FieldError[] => {
  const names = features.columns.map((column) => column.name);
  const errors = duplicates(names).map(({ name, index }) => ({ path: `features.columns[${index}].name`, message: `the column "${name}" is declared twice`, fix: 'Remove one of them.' }));
  const roles = [['label', features.label], ['eventTime', features.eventTime], ...features.identity.map((name) => ['identity', name])] as [string, string][];
  for (const [role, name] of roles) {
    const index = names.indexOf(name);
    if (index < 0) continue;
    const why = role === 'label' ? 'the model would see the answer' : 'it orders the rows and is no input of the model';
    errors.push({ path: `features.columns[${index}].name`, message: `"${name}" is the ${role}: ${why}`, fix: `Remove it from features.columns, or select it under another name.` });
  }
  if (features.label === features.eventTime || features.identity.includes(features.label)) {
    errors.push({ path: 'features.label', message: `"${features.label}" is the event time or an identity too`, fix: 'Name the column that holds the label.' });
  }
  return errors;
};

const canaryErrors = (rollout: CanaryPlan): FieldError[] => {
  const errors: FieldError[] = [];
  rollout.steps.forEach((step, index) => {
    const before = rollout.steps[index - 1];
    const path = `rollout.steps[${index}]`;
    if (before !== undefined && step.weight <= before.weight) errors.push({ path: `${path}.weight`, message: `${step.weight} is not above ${before.weight}, the step before`, fix: 'Let the weights grow from step to step.' });
    if (step.maximumSeconds < step.seconds) errors.push({ path: `${path}.maximumSeconds`, message: `${step.maximumSeconds} is less than seconds (${step.seconds})`, fix: 'Raise maximumSeconds, or lower seconds.' });
  });
  const last = rollout.steps.at(-1);
  if (last !== undefined && last.weight !== 100) errors.push({ path: `rollout.steps[${rollout.steps.length - 1}].weight`, message: `the last step has ${last.weight}, so the version would never get all traffic`, fix: 'End with a step of weight 100.' });
  return errors;
};

/** A comparison needs a step with traffic on both sides. */
const comparisonErrors = (rollout: RolloutPlan): FieldError[] => {
  if (analysisOf(rollout).comparison === undefined) return [];
  if (rollout.strategy === 'ab' || (rollout.strategy === 'canary' && rollout.steps.some(({ weight }) => weight < 100))) return [];
  return [{ path: 'rollout.analysis.comparison', message: 'no step has traffic on both versions, so nothing would be compared', fix: 'Take the comparison out, or use a canary with a step below 100.' }];
};

const boundErrors = ({ seconds, maximumSeconds }: ShadowPlan | AbPlan): FieldError[] =>
  maximumSeconds < seconds ? [{ path: 'rollout.maximumSeconds', message: `${maximumSeconds} is less than seconds (${seconds})`, fix: 'Raise maximumSeconds, or lower seconds.' }] : [];

/** A run ends with a version that is served or taken back; a rollout that only looks is started by hand. */
const observationErrors = ({ rollout }: Pick<ModelPipelineSpec, 'rollout'>): FieldError[] =>
  isObservation(rollout) ? [{ path: 'rollout.then', message: 'this shadow changes nothing at its end, so no run would ever deploy its version', fix: 'Say then: promote, or start the shadow by hand.' }] : [];

const rolloutErrors = ({ rollout }: Pick<ModelPipelineSpec, 'rollout'>): FieldError[] => {
  const errors = comparisonErrors(rollout);
  if (rollout.strategy === 'canary') return [...errors, ...canaryErrors(rollout)];
  if (rollout.strategy === 'shadow' || rollout.strategy === 'ab') return [...errors, ...boundErrors(rollout)];
  if (rollout.strategy !== 'blueGreen') return errors;
  const { seconds, maximumSeconds } = rollout.preview;
  if (maximumSeconds < seconds) errors.push({ path: 'rollout.preview.maximumSeconds', message: `${maximumSeconds} is less than seconds (${seconds})`, fix: 'Raise maximumSeconds, or lower seconds.' });
  return errors;
};

/** A column that is named somewhere in the monitor must be an input of the model. */
const columnErrors = (named: { name: string; path: string }[], columns: readonly string[]): FieldError[] =>
  named.flatMap(({ name, path }) => {
    if (columns.includes(name)) return [];
    const nearest = nearestKey(name, columns);
    const hint = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
    return [{ path, message: `"${name}" is no column of features.columns`, fix: `${hint}Columns: ${columns.slice(0, 20).join(', ')}.` }];
  });

const monitorErrors = ({ monitor, features }: ModelPipelineSpec): FieldError[] => {
  if (monitor === undefined) return [];
  const { drift, quality, concept } = monitor;
  const compared = Object.keys(drift.columns).map((name) => ({ name, path: `monitor.drift.columns.${name}` }));
  const slices = quality.slices.map((name, index) => ({ name, path: `monitor.quality.slices[${index}]` }));
  const errors = columnErrors([...compared, ...slices], features.columns.map((column) => column.name));
  const { task } = features;
  const metric = watchedMetricOf(quality, task);
  errors.push(...metricErrors(metric, watchableMetricsOf(task), { path: 'monitor.quality.metric', task }));
  if (quality.estimate && !EstimatedMetric.safeParse(metric).success) {
    errors.push({ path: 'monitor.quality.estimate', message: `${metric} cannot be estimated without labels`, fix: task === 'regression' ? 'Set estimate: false: the quality of a regression is known from its labels alone.' : `Watch one of ${EstimatedMetric.options.join(', ')}, or set estimate: false.` });
  }
  if (concept !== undefined && task === 'regression') {
    errors.push({ path: 'monitor.concept', message: 'detectors of concept drift read right and wrong decisions, and a regression makes none', fix: 'Take monitor.concept out: monitor.quality watches the errors.' });
  }
  if (concept?.detector === 'ddm' && concept.warningThreshold > concept.driftThreshold) {
    errors.push({ path: 'monitor.concept.warningThreshold', message: `${concept.warningThreshold} is above driftThreshold (${concept.driftThreshold})`, fix: 'Let the warning come before the drift.' });
  }
  return errors;
};

const triggerErrors = ({ triggers: { budget }, train }: ModelPipelineSpec): FieldError[] => {
  if (budget === undefined) return [];
  if (budget.runs === undefined && budget.trainMinutes === undefined) return [{ path: 'triggers.budget', message: 'limits nothing', fix: 'Add runs, trainMinutes or both.' }];
  if (budget.trainMinutes === undefined || budget.trainMinutes * 60 >= train.timeoutSeconds) return [];
  return [{ path: 'triggers.budget.trainMinutes', message: `${budget.trainMinutes} min have no room for one run, which may train ${train.timeoutSeconds} s`, fix: 'Raise it, or lower train.timeoutSeconds.' }];
};

const scheduleErrors = (spec: PipelineSpec): FieldError[] => {
  const schedules = schedulesOf(spec);
  const pathOf = (index: number): string => (Array.isArray(spec.schedule) ? `schedule[${index}]` : 'schedule');
  return [
    ...schedules.flatMap((schedule, index) => scheduleProblems(schedule.spec).map((error) => ({ ...error, path: `${pathOf(index)}.${error.path}` }))),
    ...duplicates(schedules.map(({ name }) => name)).map(({ name, index }) => ({ path: `${pathOf(index)}.name`, message: `the schedule "${name}" is there twice`, fix: 'Give each schedule a name of its own.' })),
  ];
};

const modelErrors = (spec: ModelPipelineSpec): FieldError[] => {
  const tables = Object.keys(spec.source.tables);
  return [
    ...sourceErrors(spec),
    ...spec.checks.flatMap((check, index) => checkErrors(check, { path: `checks[${index}]`, tables })),
    ...featureErrors(spec),
    ...searchErrors(spec),
    ...spec.gates.flatMap((gate, index) => gateErrors(gate, spec, `gates[${index}]`)),
    ...rolloutErrors(spec),
    ...observationErrors(spec),
    ...monitorErrors(spec),
    ...triggerErrors(spec),
  ];
};

const stepsErrors = (spec: StepsPipelineSpec): FieldError[] =>
  duplicates(spec.steps.map((step) => step.name)).map(({ name, index }) => ({ path: `steps[${index}].name`, message: `the step "${name}" is there twice`, fix: 'Give each step a name of its own.' }));

/** Errors of the rollout part alone, for a rollout that is started by hand. */
export const rolloutContradictions = (rollout: ModelPipelineSpec['rollout']): FieldError[] =>
  rolloutErrors({ rollout }).map((error) => ({ ...error, path: error.path.replace(/^rollout\./, '') }));

export const contradictionsOf = (spec: PipelineSpec): FieldError[] => [...(spec.kind === 'model' ? modelErrors(spec) : stepsErrors(spec)), ...scheduleErrors(spec)];

/** What is allowed but surely not meant. */
export const warningsOf = (spec: PipelineSpec): string[] => {
  if (spec.kind !== 'model') return [];
  const warnings: string[] = [];
  if (spec.triggers.drift && spec.monitor === undefined) warnings.push('triggers.drift is on, but without a monitor part nobody looks for drift.');
  if (spec.monitor !== undefined && spec.monitor.quality.minimumLabels > spec.monitor.rows) {
    warnings.push(`monitor.quality.minimumLabels (${spec.monitor.quality.minimumLabels}) is more than monitor.rows (${spec.monitor.rows}): no window can be judged.`);
  }
  if (spec.monitor === undefined && spec.alerts.receivers.length > 0 && spec.alerts.on.every((kind) => kind === 'drift' || kind === 'quality' || kind === 'labelsMissing')) {
    warnings.push('alerts.on names only what a monitor sees, but there is no monitor part.');
  }
  if (spec.gates.length === 0) warnings.push('There are no gates: every trained model is rolled out.');
  return warnings;
};

/** Receivers of alerts that the operator has not declared: nobody would be told. Undefined receivers are not known here. */
export const receiverWarningsOf = (spec: PipelineSpec, receivers: string[] | undefined): string[] => {
  if (spec.kind !== 'model' || receivers === undefined) return [];
  const named = { receivers: spec.alerts.receivers, escalateTo: spec.alerts.escalateTo ?? [] };
  return Object.entries(named).flatMap(([field, names]) =>
    names
      .filter((name) => !receivers.includes(name))
      .map((name) => {
        const nearest = nearestKey(name, receivers);
        return `alerts.${field} names "${name}", which is not in the operator's file of receivers: nobody would be told.${nearest === undefined ? '' : ` Did you mean "${nearest}"?`}`;
      }),
  );
};
