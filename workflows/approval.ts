/** The approval gate: the run waits, at no cost, until a person decides or the time is over. */
import { ApplicationFailure, condition, setHandler } from '@temporalio/workflow';
import { approveUpdate, rejectUpdate } from '../contracts/messages.ts';
import type { GateSpec } from '../contracts/pipeline.ts';
import type { GateDecision } from '../contracts/run.ts';
import { decideApproval, type Approval } from '../domain/gates.ts';
import { waitFor, type RunState } from './run-state.ts';

type ApprovalGate = Extract<GateSpec, { kind: 'approval' }>;

type Word = { by: string; comment: string };

export type Approvals = { wait: (gate: ApprovalGate) => Promise<GateDecision> };

/**
 * Takes the updates `approve` and `reject`. A validator refuses them while nobody is asked, so that such an update
 * leaves no trace in the history; the handlers only note the answer.
 */
export const receiveApprovals = (state: RunState): Approvals => {
  let answer: Approval | null = null;
  const validator = ({ by }: Word): void => {
    if (state.status.waitingForApproval && answer === null) return;
    throw ApplicationFailure.nonRetryable(`the run does not wait for an approval: the word of ${by} is not taken`, 'RunNotWaiting');
  };
  const approve = ({ by, comment }: Word): void => void (answer = { approved: true, by, comment });
  const reject = ({ by, comment }: Word): void => void (answer = { approved: false, by, comment });
  setHandler(approveUpdate, approve, { validator, description: 'Approves the waiting gate' });
  setHandler(rejectUpdate, reject, { validator, description: 'Rejects at the waiting gate' });

  const wait = async (gate: ApprovalGate): Promise<GateDecision> => {
    answer = null;
    state.status.waitingForApproval = true;
    waitFor(state, `an approval within ${gate.expiresSeconds} s`);
    try {
      await condition(() => answer !== null, gate.expiresSeconds * 1_000);
    } finally {
      state.status.waitingForApproval = false;
    }
    waitFor(state, null);
    return decideApproval(gate, answer);
  };
  return { wait };
};
