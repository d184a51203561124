/**
 * The order in which a gateway loads models: a few at a time, and first those that somebody waits for. A gateway that starts with a hundred models
 * would otherwise have each of them ready only when all are.
 */
import { availableParallelism } from 'node:os';

/** A load that takes longer than this gives its place away: one that hangs must not keep a rollback from loading. */
const SLOW_MS = 5_000;

export type LoadQueue = {
  /** Does the work when it is its turn. */
  run<Result>(model: string, work: () => Promise<Result>): Promise<Result>;
  /** Puts the waiting work of a model first. */
  hurry(model: string): void;
};

type Waiting = { model: string; begin: () => void };

export const createLoadQueue = ({ parallel = Math.max(2, availableParallelism()), slowMs = SLOW_MS }: { parallel?: number; slowMs?: number } = {}): LoadQueue => {
  let waiting: Waiting[] = [];
  let places = parallel;

  const beginNext = (): void => {
    while (places > 0 && waiting.length > 0) waiting.shift()?.begin();
  };

  /** Takes a place; what is returned gives it back, once. */
  const takePlace = (): (() => void) => {
    places -= 1;
    let isTaken = true;
    const giveBack = (): void => {
      if (!isTaken) return;
      isTaken = false;
      clearTimeout(timer);
      places += 1;
      beginNext();
    };
    const timer = setTimeout(giveBack, slowMs);
    timer.unref();
    return giveBack;
  };

  return {
    run: (model, work) =>
      new Promise((resolve, reject) => {
        const begin = (): void => {
          const giveBack = takePlace();
          work().finally(giveBack).then(resolve, reject);
        };
        waiting.push({ model, begin });
        beginNext();
      }),
    hurry: (model) => {
      const isMeant = (entry: Waiting): boolean => entry.model === model;
      if (waiting[0] === undefined || isMeant(waiting[0])) return;
      waiting = [...waiting.filter(isMeant), ...waiting.filter((entry) => !isMeant(entry))];
    },
  };
};
