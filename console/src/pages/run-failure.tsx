/** A failed run begins with what went wrong: the cause, the fix, and the last lines of the log. */
import type { Run } from '../api/types.ts';
import { RetryButton } from './run-actions.tsx';

export const FailureFirst = ({ run }: { run: Run }) => {
  const step = run.steps.find(({ state }) => state === 'failed');
  const failure = run.failure ?? step?.failure ?? null;
  if (run.state !== 'failed' || failure === null) return null;
  const logTail = failure.logTail ?? step?.failure?.logTail ?? [];
  return (
    <section class="callout tone-bad" aria-label="Why it failed">
      <h2>{step === undefined ? 'The run failed' : `Step ${step.name} failed`}</h2>
      <p>
        {failure.message} <code>{failure.code}</code>
      </p>
      <p>{failure.fix}</p>
      {logTail.length === 0 ? null : (
        // The log scrolls, so it can be reached by keyboard.
        <pre class="log" tabIndex={0} aria-label="The last lines of its log">
          {logTail.join('\n')}
        </pre>
      )}
      {step === undefined ? null : <RetryButton run={run} from={step.name} />}
    </section>
  );
};
