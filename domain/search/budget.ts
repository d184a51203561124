/** The budget of a search as a hard limit: a trial begins only if all that it may use still fits. Pure. */
import type { SearchBudget } from '../../contracts/search.ts';

/** Training seconds that the budget allows for all trials together; Infinity without one. */
export const limitSeconds = (budget: SearchBudget | undefined): number => {
  if (budget === undefined) return Number.POSITIVE_INFINITY;
  const { minutes = Number.POSITIVE_INFINITY, money, pricePerMinute } = budget;
  const affordable = money === undefined ? Number.POSITIVE_INFINITY : money / (pricePerMinute ?? Number.POSITIVE_INFINITY);
  return Math.min(minutes, affordable) * 60;
};

/** Training seconds that one trial may use. */
export const reservationSeconds = (budget: SearchBudget | undefined, timeoutSeconds: number): number =>
  Math.min(timeoutSeconds, budget?.trialMinutes === undefined ? timeoutSeconds : Math.floor(budget.trialMinutes * 60));

/** How many of the wanted trials are admitted: those whose reservations fit beside what is spent. */
export const admitted = ({ wanted, limit, spent, reservation }: { wanted: number; limit: number; spent: number; reservation: number }): number =>
  Math.max(0, Math.min(wanted, Math.floor((limit - spent) / reservation + 1e-9)));
