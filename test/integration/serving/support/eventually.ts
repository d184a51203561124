/** Polls until something is there: tests wait for conditions, never for time. */
import { setTimeout as delay } from 'node:timers/promises';

/** The first answer that is neither undefined nor false. An error of `look` is final. */
export const eventually = async <T>(look: () => T | undefined | false | Promise<T | undefined | false>, { what, ms = 60_000 }: { what: string; ms?: number }): Promise<T> => {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`it did not happen within ${ms} ms that ${what}`);
    await delay(25);
  }
};
