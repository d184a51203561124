/** What SIGINT, SIGTERM and SIGHUP mean to a program that has a stack running. */
import type { Stack } from './stack.ts';

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm passes a Ctrl-C on that the terminal sent us already: a second signal this soon is that one, not impatience. */
const sameSignalMs = 2_000;

/** Asks for the end once, and for a quick end when the user insists. */
export const onEndSignals = (end: () => void, hurry: () => void): (() => void) => {
  let endedAt: number | undefined;
  const handle = (): void => {
    if (endedAt === undefined) {
      endedAt = Date.now();
      end();
    } else if (Date.now() - endedAt > sameSignalMs) {
      hurry();
    }
  };
  for (const signal of endSignals) process.on(signal, handle);
  return () => {
    for (const signal of endSignals) process.off(signal, handle);
  };
};

const interruptedCode = 130;

/**
 * For scripts around a stack: a signal stops it and ends the script with exit code 130, so that no process outlives it.
 * @returns takes the handler away again
 */
export const stopWhenInterrupted = (stack: Stack): (() => void) => {
  const end = (graceMs: number): void => void stack.stop({ graceMs }).finally(() => process.exit(interruptedCode));
  return onEndSignals(() => end(5_000), () => end(0));
};
