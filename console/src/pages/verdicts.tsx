/** Every verdict of a rollout, newest first: who or what decided, and on which numbers. */
import type { Deployment } from '../api/types.ts';
import { count, measured, percent } from '../ui/format.ts';
import { Scroll } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

type Decision = NonNullable<Deployment['rollout']>['decisions'][number];

const STATES: Record<string, string> = { pass: 'passed', fail: 'failed', inconclusive: 'unknown', continue: 'running', promote: 'promoted', abort: 'aborted', pause: 'paused', resume: 'running' };

export const Verdicts = ({ decisions }: { decisions: Decision[] }) =>
  decisions.length === 0 ? null : (
    <Scroll label="Verdicts">
      <table>
        <caption>Verdicts, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col" class="number">Weight</th>
            <th scope="col">Verdict</th>
            <th scope="col">Why</th>
            <th scope="col">By</th>
            <th scope="col" class="number">Failed</th>
            <th scope="col" class="number">p95</th>
          </tr>
        </thead>
        <tbody>
          {decisions.map(({ sequence, weight, verdict, reason, by, at, window }) => (
            <tr key={sequence}>
              <td>
                <Ago at={at} />
              </td>
              <td class="number">{weight} %</td>
              <td>
                <StateMark state={STATES[verdict] ?? verdict} label={verdict} />
              </td>
              <td class="wide-cell">{reason}</td>
              <td>{by ?? 'the analysis'}</td>
              <td class="number">{window === null || window.requests === 0 ? '–' : `${percent(window.failures / window.requests, 1)} of ${count(window.requests)}`}</td>
              <td class="number">{window === null ? '–' : `${measured(window.latencyP95Ms)} ms`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
