/**
 * Keeps the event loop turning for a moment while an answer is on its way back from a host process or from the disk: such an answer takes a few
 * hundred microseconds, and to wake an idle core (of a virtual machine above all) costs up to as much again.
 */
const LONGEST_MS = 1;

/** Turns the loop until `isBack`, for at most a millisecond; after that the loop sleeps as ever. */
export const stayAwake = (isBack: () => boolean): void => {
  const since = performance.now();
  const turn = (): void => {
    if (!isBack() && performance.now() - since < LONGEST_MS) setImmediate(turn);
  };
  setImmediate(turn);
};
