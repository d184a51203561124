/** How long to wait before asking again for something that nobody announces. */

const SHORTEST_MS = 2_000;

/**
 * Delay before the next question, in milliseconds: 2 s at first, 60 s after an hour, and always a sixtieth of the time waited, so that
 * a month of waiting costs some hundred timers and stays within the limits of a workflow history.
 */
export const askAgainDelayMs = (waitedMs: number): number => Math.max(SHORTEST_MS, Math.floor(waitedMs / 60));
