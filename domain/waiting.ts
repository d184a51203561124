/** How long to wait before asking again for something that nobody announces. */

const SHORTEST_MS = 2_000;
const USUAL_LONGEST_MS = 60_000;

/**
 * Delay before the next question, in milliseconds: 2 s at first, a tenth of the time waited, up to 60 s. After an hour it is a sixtieth of
 * the time waited, so that a month of waiting costs some hundred timers and stays within the limits of a workflow history.
 */
export const askAgainDelayMs = (waitedMs: number): number => {
  const longest = Math.max(USUAL_LONGEST_MS, waitedMs / 60);
  return Math.floor(Math.min(Math.max(SHORTEST_MS, waitedMs / 10), longest));
};
