/** The columns of a window, drifted ones first, each with its test, and training rows against live rows. */
import type { MonitorReport } from '../api/types.ts';
import { measured, percent, words } from '../ui/format.ts';
import { HistogramKey, MiniHistogram } from '../ui/histogram.tsx';
import { Scroll } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';

type Column = MonitorReport['columns'][number];

const Missing = ({ missing }: { missing: Column['missing'] }) => {
  if (missing === null || (missing.reference === 0 && missing.current === 0)) return <span class="muted">–</span>;
  const text = `${percent(missing.reference, 1)} → ${percent(missing.current, 1)}`;
  return missing.drifted ? <StateMark state="drifted" label={text} /> : <span>{text}</span>;
};

const Unseen = ({ column: { newCategories, newShare } }: { column: Column }) => {
  if (newShare === null || newShare === 0) return <span class="muted">–</span>;
  return (
    <span title={newCategories.join(', ')}>
      {percent(newShare, 1)}
      {newCategories.length === 0 ? '' : ` (${newCategories.slice(0, 3).join(', ')}${newCategories.length > 3 ? ', …' : ''})`}
    </span>
  );
};

const Row = ({ column }: { column: Column }) => (
  <tr>
    <th scope="row">{column.column}</th>
    <td>
      <StateMark state={column.drifted ? 'drifted' : 'holds'} label={column.drifted ? 'drifted' : 'no drift'} />
    </td>
    <td>{column.histogram === null ? <span class="muted">–</span> : <MiniHistogram name={column.column} histogram={column.histogram} />}</td>
    <td>{words(column.method)}</td>
    <td class="number">{measured(column.score)}</td>
    <td class="number">{measured(column.threshold)}</td>
    <td>
      <Missing missing={column.missing} />
    </td>
    <td class="clip narrow">
      <Unseen column={column} />
    </td>
  </tr>
);

export const DriftTable = ({ columns, prediction }: { columns: Column[]; prediction: Column | null }) => (
  <Scroll label="Drift by column">
    <table>
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Drift</th>
          <th scope="col">
            <HistogramKey />
          </th>
          <th scope="col">Test</th>
          <th scope="col" class="number">Score</th>
          <th scope="col" class="number">Threshold</th>
          <th scope="col">Missing</th>
          <th scope="col">New values</th>
        </tr>
      </thead>
      <tbody>
        {columns.map((column) => (
          <Row key={column.column} column={column} />
        ))}
        {prediction === null ? null : <Row key="the score" column={{ ...prediction, column: "the model's score" }} />}
      </tbody>
    </table>
  </Scroll>
);
