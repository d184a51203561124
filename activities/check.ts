/** The check step: runs the data checks on a dataset version. A failed check of severity `error` ends the run, after its report was stored. */
import type { StepActivities } from '../contracts/activities.ts';
import type { CheckReport, CheckResult } from '../contracts/dataset.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { step, type ActivityTools } from './boundary.ts';
import { inScratch, jsonBytes, stageDataset, type DataPorts } from './data-ports.ts';
import { orStopped } from './stop.ts';

export type CheckPorts = DataPorts;

type Input = Parameters<StepActivities['check']>[0];

/** How many failing checks the history and a message hold; the stored report has them all. */
const SHOWN_RESULTS = 20;
const NAMED_CHECKS = 5;

const runChecks = ({ scratch, artifacts, engine }: CheckPorts, input: Input, tools: ActivityTools): Promise<CheckResult[]> => {
  if (input.checks.length === 0) return Promise.resolve([]);
  return inScratch(scratch, 'check', async (folder) => {
    const tables = new Set(input.checks.map(({ table }) => table));
    const staged = await stageDataset({ artifacts }, { dataset: input.dataset, folder, tables }, tools);
    tools.report({ progress: { done: 0, total: input.checks.length, what: 'checking' } });
    return staged.named(orStopped(tools.signal, engine.check(staged.tables, input.checks, { signal: tools.signal })));
  });
};

const describe = ({ check, table, message, examples }: CheckResult): string =>
  `${check} on ${table}: ${message}${examples[0] === undefined ? '' : `, such as ${examples[0]}`}`;

const refuse = (blocking: CheckResult[], report: CheckReport): PerennialFailure => {
  const named = blocking.slice(0, NAMED_CHECKS).map(describe).join('; ');
  const more = blocking.length > NAMED_CHECKS ? `; and ${blocking.length - NAMED_CHECKS} more` : '';
  return new PerennialFailure('DataChecksFailed', `${blocking.length} of ${report.checks} data checks failed: ${named}${more}. The report is ${report.report.uri}`);
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
    results: [...blocking, ...warnings].slice(0, SHOWN_RESULTS),
    report: await ports.artifacts.put(jsonBytes({ dataset: input.dataset.dataset, version: input.dataset.version, results })),
  };
  if (blocking.length > 0) throw refuse(blocking, report);
  return report;
};

/** Creates the check activity: it only reads, but for a report under its own hash. */
export const createCheckActivity = (ports: CheckPorts): Pick<StepActivities, 'check'> => ({
  check: step(ports.ledger, (input: Input, tools) => check(ports, input, tools)),
});
