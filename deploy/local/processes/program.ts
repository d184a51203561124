/** What the supervisor needs to know of one process that it keeps running. */
export type Program = {
  /** Name in logs and in processes.json: `postgres`, `temporal`, `api`, `gateway-1`, `worker-data`. */
  name: string;
  /** Executable and arguments; never a shell. */
  command: readonly string[];
  /** Variables over the supervisor's own environment. */
  environment: Record<string, string>;
  /** User to run as; the supervisor's own where absent. */
  user?: { uid: number; gid: number };
  cwd: string;
  /** Runs before each start. */
  prepare?: () => Promise<void>;
  /** When it counts as ready: a line that it prints, or a question that is asked every 100 ms (throwing means no). */
  ready: { line: (text: string) => boolean } | { probe: () => Promise<boolean> };
  /** The signal that asks it to end cleanly, and how long it may take before it is killed. */
  stopSignal: NodeJS.Signals;
  stopMs: number;
};
