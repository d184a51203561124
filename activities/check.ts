/** The check step: runs the data checks on a dataset version. A failed check of severity `error` ends the run, after its report was stored. */
import type { StepActivities } from '../contracts/activities.ts';
import type { CheckReport, CheckResult } from '../contracts/check-report.ts';
import type { DataCheck, FileCheck } from '../contracts/data-check.ts';
import { DatasetManifest, type DatasetVersionRef } from '../contracts/dataset.ts';
import { distributionResult } from '../domain/distribution-check.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { step, type ActivityTools } from './boundary.ts';
import { inScratch, jsonBytes, readJson, stageDataset, type DataPorts } from './data-ports.ts';
import { orStopped } from './stop.ts';

export type CheckPorts = DataPorts;

type Input = Parameters<StepActivities['check']>[0];

/** How many failing checks the history and a message hold; the stored report has them all. */
const SHOWN_RESULTS = 20;
const SHOWN_EXAMPLES = 2;
const NAMED_CHECKS = 5;

type DistributionCheck = Extract<DataCheck, { kind: 'distribution' }>;
const isDistribution = (check: DataCheck): check is DistributionCheck => check.kind === 'distribution';

/** Tables whose files the checks read; SQL may read any. */
const tablesOf = (checks: FileCheck[]): Set<string> | undefined =>
  checks.some(({ kind }) => kind === 'sql') ? undefined : new Set(checks.flatMap((check) => [check.table, ...(check.kind === 'foreignKey' ? [check.references.table] : [])]));

const checkFiles = (ports: CheckPorts, input: { dataset: DatasetVersionRef; checks: FileCheck[] }, tools: ActivityTools): Promise<CheckResult[]> => {
  if (input.checks.length === 0) return Promise.resolve([]);
  return inScratch(ports.scratch, 'check', async (folder) => {
    const wanted = tablesOf(input.checks);
    const staged = await stageDataset(ports, { dataset: input.dataset, folder, ...(wanted === undefined ? {} : { tables: wanted }) }, tools);
    tools.report({ progress: { done: 0, total: input.checks.length, what: 'checking' } });
    const call = ports.engine.check({ tables: staged.tables, checks: input.checks, atMs: Date.now() }, { signal: tools.signal });
    const results = await staged.named(orStopped(tools.signal, call));
    return results.map((result) => ({ ...result, examples: result.examples.map((example) => ({ ...example, file: example.file === null ? null : staged.sourceOf(example.file) })) }));
  });
};

/** The manifest of the version that a check compares with. */
const referenceOf = async ({ ledger }: CheckPorts, { reference }: DistributionCheck, { dataset, version }: DatasetVersionRef): Promise<DatasetManifest | undefined> => {
  const recorded = reference === 'previous' ? await ledger.previousDataset(dataset, version) : await ledger.datasetManifest(dataset, reference);
  const manifest = DatasetManifest.safeParse(recorded);
  return manifest.success ? manifest.data : undefined;
};

const checkDistributions = async (ports: CheckPorts, dataset: DatasetVersionRef, checks: DistributionCheck[]): Promise<CheckResult[]> => {
  if (checks.length === 0) return [];
  const current = DatasetManifest.parse(await readJson(ports.artifacts, dataset.manifest));
  return Promise.all(checks.map(async (check) => distributionResult(check, current, await referenceOf(ports, check, dataset))));
};

const runChecks = async (ports: CheckPorts, { dataset, checks }: Input, tools: ActivityTools): Promise<CheckResult[]> => {
  const [onFiles, distributions] = [checks.filter((check) => !isDistribution(check)), checks.filter(isDistribution)];
  const results = new Map<DataCheck, CheckResult>();
  const found = await checkFiles(ports, { dataset, checks: onFiles }, tools);
  for (const [index, check] of onFiles.entries()) if (found[index] !== undefined) results.set(check, found[index]);
  const compared = await checkDistributions(ports, dataset, distributions);
  distributions.forEach((check, index) => results.set(check, compared[index]!));
  return checks.flatMap((check) => results.get(check) ?? []);
};

const describe = ({ check, table, message, examples: [example] }: CheckResult): string => {
  if (example === undefined) return `${check} on ${table}: ${message}`;
  return `${check} on ${table}: ${message}, such as ${example.file === null ? '' : `row ${example.row} of ${example.file}: `}${example.values}`;
};

const refuse = (blocking: CheckResult[], report: CheckReport): PerennialFailure => {
  const named = blocking.slice(0, NAMED_CHECKS).map(describe).join('; ');
  const more = blocking.length > NAMED_CHECKS ? `; and ${blocking.length - NAMED_CHECKS} more` : '';
  return new PerennialFailure('DataChecksFailed', `${blocking.length} of ${report.checks} data checks failed: ${named}${more}. The report is ${report.report.uri} (${report.report.bytes} bytes)`);
};

const check = async (ports: CheckPorts, input: Input, tools: ActivityTools): Promise<CheckReport> => {
  const results = await runChecks(ports, input, tools);
  if (results.length !== input.checks.length) throw new Error(`${results.length} of ${input.checks.length} checks have a result`);
  const failing = results.filter(({ passed }) => !passed);
  const blocking = failing.filter(({ severity }) => severity === 'error');
  const warnings = failing.filter(({ severity }) => severity === 'warn');
  const report: CheckReport = {
    passed: blocking.length === 0,
    checks: results.length,
    failed: blocking.length,
    warned: warnings.length,
    results: [...blocking, ...warnings].slice(0, SHOWN_RESULTS).map((result) => ({ ...result, examples: result.examples.slice(0, SHOWN_EXAMPLES) })),
    report: await ports.artifacts.put(jsonBytes({ dataset: input.dataset.dataset, version: input.dataset.version, results })),
  };
  if (blocking.length > 0) throw refuse(blocking, report);
  return report;
};

/** Creates the check activity: it only reads, but for a report under its own hash. */
export const createCheckActivity = (ports: CheckPorts): Pick<StepActivities, 'check'> => ({
  check: step(ports.ledger, (input: Input, tools) => check(ports, input, tools)),
});
