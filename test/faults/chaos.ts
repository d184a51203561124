/** Seeded disturbance: which process dies, and when. The same seed gives the same plan. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '../../deploy/local/stack.ts';

/** Every process that may die at any moment. One gateway only: the client has the other to go to. */
export const VICTIMS = ['worker-workflows', 'worker-data', 'worker-cpu', 'worker-gpu', 'api', 'gateway-1', 'postgres', 'temporal'] as const;
export type Victim = (typeof VICTIMS)[number];

export type Disturbance = { victim: Victim; afterMs: number };

/** One process, at a moment uniform over `withinMs`. */
export const planDisturbance = (random: () => number, withinMs: number): Disturbance => ({
  victim: VICTIMS[Math.floor(random() * VICTIMS.length)]!,
  afterMs: Math.floor(random() * withinMs),
});

/** Kills with SIGKILL at the planned moment, unless the trial has ended by then; the supervisor starts it again. */
export const disturb = async (stack: Stack, { victim, afterMs }: Disturbance, signal: AbortSignal): Promise<boolean> => {
  try {
    await pause(afterMs, undefined, { signal });
  } catch {
    return false;
  }
  if (stack.processes.pid(victim) === undefined) return false;
  stack.processes.kill(victim, 'SIGKILL');
  return true;
};
