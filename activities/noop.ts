/** The step that does nothing: it shows what the orchestration of a step costs. */
import type { StepActivities } from '../contracts/activities.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step } from './boundary.ts';

export const createNoopActivity = ({ ledger }: { ledger: RunLedger }): Pick<StepActivities, 'noop'> => ({
  noop: step(ledger, async () => ({ done: true as const })),
});
