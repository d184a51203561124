/** The gate step: the measured gates first, and only when all of them hold is a person asked. */
import type { EvaluationReport } from '../contracts/model.ts';
import { WORKFLOWS_POOL } from '../contracts/queues.ts';
import { approvalGates, decideGates, refusals } from '../domain/gates.ts';
import type { GateOutput } from '../domain/steps.ts';
import { doStep, type ModelRun } from './model-step.ts';
import { quick } from './proxies.ts';

const decide = async (run: ModelRun, report: EvaluationReport): Promise<GateOutput> => {
  const { status } = run.state;
  status.gates = decideGates(report, run.spec.gates);
  for (const gate of approvalGates(run.spec.gates)) {
    if (refusals(status.gates).length > 0) break;
    status.gates = [...status.gates, await run.approvals.wait(gate)];
  }
  return { passed: refusals(status.gates).length === 0, gates: status.gates };
};

/** Decides all gates. A refusal is a step that succeeded in saying no: its output has `passed: false`. */
export const gate = async (run: ModelRun, report: EvaluationReport): Promise<GateOutput> => {
  const output = await doStep(run, { name: 'gate', pool: WORKFLOWS_POOL }, async (context): Promise<GateOutput> => {
    if (approvalGates(run.spec.gates).length > 0) await quick('gates begin').recordStep({ context, state: 'running' });
    const decided = await decide(run, report);
    await quick(decided.passed ? 'gates hold' : 'a gate refuses').recordStep({ context, state: 'succeeded', output: decided });
    return decided;
  });
  run.state.status.gates = output.gates;
  return output;
};
