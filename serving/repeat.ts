/** A task that is run again and again, never twice at a time. */

export type Repeated = {
  /** Runs it as soon as possible; when it runs now, once more after that. */
  wake(): void;
  /** No run begins after this; resolves when the present one has ended. */
  stop(): Promise<void>;
};

/** Runs the task now and then `ms` after each end. The task must not throw. */
export const repeat = (ms: number, task: () => Promise<void>): Repeated => {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isWanted = false;
  let running: Promise<void> | undefined;
  const start = (): void => {
    if (isStopped || running !== undefined) return;
    clearTimeout(timer);
    isWanted = false;
    running = task().finally(() => {
      running = undefined;
      if (isWanted) start();
      else if (!isStopped) timer = setTimeout(start, ms);
    });
  };
  start();
  return {
    wake: () => {
      isWanted = true;
      start();
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
