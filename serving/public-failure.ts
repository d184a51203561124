/** What a client may learn of a failure, in any protocol. */
import { FAILURES } from '../contracts/failures.ts';
import { PerennialFailure } from '../domain/failure.ts';

/** A failure as the client may see it: of what a model or this process did only the kind, never a path, an address or a stack. */
export const publicFailure = (error: unknown): { code: PerennialFailure['code']; status: number; message: string } => {
  const failure = error instanceof PerennialFailure ? error : new PerennialFailure('Internal', FAILURES.Internal.title);
  const { code } = failure;
  if (code === 'ModelFailed') {
    const operator = /while running (\w{1,64}) node/.exec(failure.message)?.[1];
    return { code, status: 500, message: `The model failed while it scored${operator === undefined ? '' : ` (operator ${operator})`}.` };
  }
  if (code === 'Internal') return { code, status: 500, message: FAILURES.Internal.title };
  return { code, status: FAILURES[code].httpStatus, message: failure.message };
};
