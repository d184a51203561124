/** Columns by windows: how far each score was beyond its threshold, so that a season shows as a stripe. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { setQuery } from '../state/router.ts';
import { dayTime, measured } from '../ui/format.ts';
import { Empty, Scroll, Shown } from '../ui/page.tsx';

type Window = Answer<'/api/v1/models/{model}/monitor'>['windows'][number];
type Score = { score: number | null; threshold: number | null; drifted: boolean };

const WINDOWS = 40;

const scoreOf = (window: Window, name: string): Score | undefined => {
  const column = window.columns.find((one) => one.column === name);
  if (column === undefined) return undefined;
  const { score = null, threshold = null, drifted } = column as unknown as { score?: number | null; threshold?: number | null; drifted: boolean };
  return { score, threshold, drifted };
};

/** 0 for none to 4 for three times the threshold and more. A test that says drift is never below 2. */
const levelOf = ({ score, threshold, drifted }: Score): number => {
  if (score === null || threshold === null || threshold === 0) return drifted ? 3 : 0;
  const ratio = score / threshold;
  if (!drifted) return ratio > 0.6 ? 1 : 0;
  return ratio >= 3 ? 4 : ratio >= 1.5 ? 3 : 2;
};

const Cell = ({ window, name }: { window: Window; name: string }) => {
  const score = scoreOf(window, name);
  if (score === undefined) return <td class="heat none" />;
  const text = `${name}, ${dayTime(window.to)}: ${measured(score.score)} (threshold ${measured(score.threshold)})${score.drifted ? ', drifted' : ''}`;
  return (
    <td class={`heat level-${levelOf(score)}`} title={text}>
      <span aria-hidden="true">{score.drifted ? '≠' : ''}</span>
      <span class="sr-only">{text}</span>
    </td>
  );
};

const namesOf = (windows: Window[]): string[] => {
  const drifts = new Map<string, number>();
  for (const { columns } of windows) for (const { column, drifted } of columns) drifts.set(column, (drifts.get(column) ?? 0) + (drifted ? 1 : 0));
  return [...drifts].sort((one, other) => other[1] - one[1]).map(([name]) => name);
};

export const DriftHeat = ({ model }: { model: string }) => (
  <Shown read={useRead('/api/v1/models/{model}/monitor', { params: { model }, query: { limit: WINDOWS }, pollMs: 10_000 })}>
    {({ windows }) => {
      if (windows.length === 0) return <Empty>No window is closed yet.</Empty>;
      const ordered = windows.toReversed();
      return (
        <Scroll label="Columns over time">
          <table class="heat-map">
            <thead>
              <tr>
                <th scope="col">Column</th>
                {ordered.map(({ version, window, to }) => (
                  <th scope="col" key={`${version}.${window}`}>
                    <button type="button" class="small" title={`${dayTime(to)}: show this window`} aria-label={`${version}.${window}: show this window`} onClick={() => setQuery({ window: `${version}.${window}` })}>
                      {version}.{window}
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {namesOf(ordered).map((name) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {ordered.map((window) => (
                    <Cell key={`${window.version}.${window.window}`} window={window} name={name} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      );
    }}
  </Shown>
);
