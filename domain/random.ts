/** A seeded generator of random numbers: the same seed gives the same numbers on every machine. */

/**
 * Mulberry32 (Tommy Ettinger): 32 bits of state, passes gjrand; good for resampling, never for secrets.
 *
 * @param seed an integer; its low 32 bits count
 * @returns a function that gives the next number in [0, 1)
 */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
