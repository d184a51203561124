import type { AttemptUse } from '../../contracts/resources.ts';

/**
 * Measures what work in this process uses, with every process that it starts, however deep. Pieces of work that run side by side share
 * the process itself evenly, so that nothing is counted twice; their own processes are told apart.
 */
export interface ResourceMeter {
  /** Runs the work and measures it. `attempt` counts from 1; `waitingSeconds` is how long it had waited for a worker. */
  measure<T>(attempt: { attempt: number; waitingSeconds: number }, work: () => Promise<T>): Promise<T>;
  /** What the work in whose course this is called has used so far; undefined outside of measured work. */
  current(): AttemptUse | undefined;
  /** Counts bytes that the present work left in the artifact store. */
  stored(bytes: number): void;
}
