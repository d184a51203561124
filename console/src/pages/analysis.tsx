/** What the analysis of a rollout measures, each against its limit, with its 95 % interval where it is a share. */
import type { Deployment, ServingWindow } from '../api/types.ts';
import { count, measured, percent } from '../ui/format.ts';
import { wilsonInterval } from '../ui/interval.ts';
import { Scroll } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';

type Rollout = NonNullable<Deployment['rollout']>;
type Plan = NonNullable<Rollout['plan']>;
type Line = { name: string; value: string; limit: string; isKept: boolean | null; band?: { low: number; high: number; value: number; limit: number } };

const WIDTH = 180;

/** The interval as a bar, the value as a mark, the limit as a line. */
const Band = ({ low, high, value, limit }: { low: number; high: number; value: number; limit: number }) => {
  const most = Math.max(high, limit) * 1.15 || 1;
  const at = (share: number): number => (share / most) * WIDTH;
  return (
    <svg class="band" width={WIDTH} height={18} viewBox={`0 0 ${WIDTH} 18`} role="img" aria-label={`${percent(value, 1)}, between ${percent(low, 1)} and ${percent(high, 1)}; limit ${percent(limit, 1)}`}>
      <rect class="band-ground" x="0" y="8" width={WIDTH} height="2" />
      <rect class="band-range" x={at(low)} y="5" width={Math.max(2, at(high) - at(low))} height="8" rx="2" />
      <rect class="band-value" x={at(value) - 1.5} y="2" width="3" height="14" />
      <rect class="band-limit" x={at(limit) - 1} y="0" width="2" height="18" />
    </svg>
  );
};

const failureLine = (window: ServingWindow, limit: number): Line => {
  const value = window.requests === 0 ? 0 : window.failures / window.requests;
  const interval = wilsonInterval(window.failures, window.requests);
  return {
    name: 'Failed requests of the canary',
    value: window.requests === 0 ? '–' : `${percent(value, 2)} (${count(window.failures)} of ${count(window.requests)})`,
    limit: `at most ${percent(limit, 2)}`,
    isKept: window.requests === 0 ? null : value <= limit,
    ...(interval === null ? {} : { band: { ...interval, value, limit } }),
  };
};

const latencyLine = (window: ServingWindow, limit: number | undefined): Line => ({
  name: 'Latency p95 of the canary',
  value: window.latencyP95Ms === null ? '–' : `${measured(window.latencyP95Ms)} ms (p50 ${measured(window.latencyP50Ms)} ms)`,
  limit: limit === undefined ? 'no limit set' : `at most ${measured(limit)} ms`,
  isKept: limit === undefined || window.latencyP95Ms === null ? null : window.latencyP95Ms <= limit,
});

const comparisonLine = (window: ServingWindow, comparison: { maximumDifference: number }): Line => {
  const { stable } = window;
  const canary = window.requests === 0 ? 0 : window.failures / window.requests;
  const other = stable === undefined || stable.requests === 0 ? 0 : stable.failures / stable.requests;
  const isKnown = stable !== undefined && stable.requests > 0 && window.requests > 0;
  return {
    name: 'Failures beside stable',
    value: isKnown ? `${percent(canary, 2)} against ${percent(other, 2)}` : '–',
    limit: `at most ${percent(comparison.maximumDifference, 2)} more`,
    isKept: isKnown ? canary - other <= comparison.maximumDifference : null,
  };
};

const linesOf = (plan: Plan, window: ServingWindow): Line[] => {
  if (plan.strategy === 'allAtOnce') return [];
  const { analysis } = plan;
  const comparison = analysis.comparison;
  return [failureLine(window, analysis.maximumFailureShare), latencyLine(window, analysis.maximumLatencyP95Ms), ...(comparison === undefined ? [] : [comparisonLine(window, comparison)])];
};

/** The live window while it runs, else the one of the last verdict. */
const windowOf = (rollout: Rollout): ServingWindow | null => rollout.status?.lastWindow ?? rollout.decisions[0]?.window ?? null;

export const Analysis = ({ plan, rollout }: { plan: Plan; rollout: Rollout }) => {
  const window = windowOf(rollout);
  const lines = window === null ? [] : linesOf(plan, window);
  const verdict = rollout.status?.lastVerdict ?? null;
  if (lines.length === 0) return null;
  return (
    <>
      <Scroll label="Analysis">
        <table>
          <caption>{rollout.state === 'running' ? 'Analysis of the present step' : 'Analysis at the last verdict'}</caption>
          <thead>
            <tr>
              <th scope="col">Measured</th>
              <th scope="col">Value</th>
              <th scope="col">95 % interval and limit</th>
              <th scope="col">Limit</th>
              <th scope="col">Kept</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ name, value, limit, isKept, band }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
                <td>{band === undefined ? null : <Band {...band} />}</td>
                <td>{limit}</td>
                <td>{isKept === null ? <span class="muted">–</span> : <StateMark state={isKept ? 'passed' : 'failed'} label={isKept ? 'kept' : 'broken'} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {verdict === null ? null : (
        <p>
          Verdict now: <strong>{verdict.verdict}</strong>, {verdict.reason}
        </p>
      )}
    </>
  );
};
