/** The check step: the declared checks on the dataset version. The report is stored first; then an error stops the run. */
import type { StepActivities } from '../contracts/activities.ts';
import type { CheckReport, CheckResult } from '../contracts/dataset.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { DataEngine } from '../domain/ports/data-engine.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step, type ActivityTools } from './boundary.ts';
import { downloadTables, readManifest, withScratch, type Scratch } from './dataset-files.ts';

export type CheckPorts = { ledger: RunLedger; artifacts: ArtifactStore; engine: DataEngine; scratch: Scratch };

export type CheckPorts = DataPorts;

type Input = Parameters<StepActivities['check']>[0];

const SHOWN = 20;

const refuse = (failures: CheckResult[], report: CheckReport): PerennialFailure => {
  const first = failures.slice(0, 3).map(({ check, table, message, examples }) => `${check} on ${table}: ${message}${examples[0] === undefined ? '' : `, such as ${examples[0]}`}`);
  const more = failures.length > 3 ? `; and ${failures.length - 3} more` : '';
  return new PerennialFailure('DataChecksFailed', `${failures.length} of ${report.checks} checks failed: ${first.join('; ')}${more}. The report is ${report.report.uri}.`);
};

const runChecks = async (ports: CheckPorts, { dataset, checks }: Input, tools: ActivityTools): Promise<CheckReport> =>
  withScratch(ports.scratch, 'check', async (folder) => {
    const manifest = await readManifest(ports.artifacts, dataset);
    const tables = await downloadTables(ports.artifacts, manifest, { folder, tools });
    const results = checks.length === 0 ? [] : await ports.engine.check(tables, checks);
    if (results.length !== checks.length) throw new Error(`${results.length} of ${checks.length} checks have a result`);
    const failing = results.filter(({ passed }) => !passed);
    const errors = failing.filter(({ severity }) => severity === 'error');
    const report: CheckReport = {
      passed: errors.length === 0,
      checks: checks.length,
      failed: errors.length,
      warned: failing.length - errors.length,
      results: failing.slice(0, SHOWN),
      report: await ports.artifacts.put(Buffer.from(JSON.stringify(results))),
    };
    if (!report.passed) throw refuse(errors, report);
    return report;
  });

/** Only reads the dataset version, so it may run again. @throws DataChecksFailed that names the failing checks and where the report lies */
export const createCheckActivity = (ports: CheckPorts): Pick<StepActivities, 'check'> => ({
  check: step(ports.ledger, (input: Input, tools) => runChecks(ports, input, tools)),
});
