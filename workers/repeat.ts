/** Runs something now and then again and again, never twice at once. */

/** `everyMs` lies between the starts; a run that takes longer is followed at once. `work` handles its own errors. */
export const repeat = (work: () => Promise<void>, everyMs: number): { stop: () => Promise<void> } => {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    const startedAt = performance.now();
    running = work().finally(() => {
      if (!isStopped) timer = setTimeout(run, Math.max(0, everyMs - (performance.now() - startedAt)));
    });
  };
  run();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
