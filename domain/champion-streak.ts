/** Retrains that do not beat the champion: one is news of the data, several in a row say that retraining is no remedy any more. */
import type { ChampionStanding, RetrainVerdict } from '../contracts/trigger.ts';
import type { RunState } from '../contracts/run.ts';

/** What the end of a run says; null while it has none. */
export const retrainVerdict = ({ state, hasChampion }: { state: RunState; hasChampion: boolean }): RetrainVerdict | null => {
  if (state === 'running') return null;
  if (state === 'succeeded') return 'promoted';
  const isRefused = state === 'rejected' || state === 'rolledBack';
  return isRefused && hasChampion ? 'unbeaten' : 'undecided';
};

/**
 * The standing after a retrain: `before` is the number in a row that did not beat the champion until then. A retrain that says nothing leaves it.
 * `isDue` from the `limit`th on: that is worth an alert, which a promotion resolves.
 */
export const championStanding = (before: number, verdict: RetrainVerdict, limit: number): Pick<ChampionStanding, 'unbeaten' | 'isDue'> => {
  const unbeaten = verdict === 'promoted' ? 0 : before + (verdict === 'unbeaten' ? 1 : 0);
  return { unbeaten, isDue: unbeaten >= limit };
};
