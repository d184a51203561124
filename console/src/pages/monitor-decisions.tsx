/** What was decided and done since the first of the windows: newest first. */
import type { MonitorReport } from '../api/types.ts';
import { words } from '../ui/format.ts';
import { Empty } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const MOST = 40;

/** `rejected: the pipeline does not retrain on drift` is a state and why; `run x` is what it started. */
const endOf = (outcome: string): { state: string; rest: string } => {
  const [, head = outcome, rest = ''] = /^(\w+)[: ]*(.*)$/s.exec(outcome) ?? [];
  return { state: head === 'run' ? 'ran' : head, rest };
};

const End = ({ outcome }: { outcome: string | null }) => {
  if (outcome === null) return null;
  const { state, rest } = endOf(outcome);
  return (
    <span class="clip end-text" title={outcome}>
      <StateMark state={state} label={words(state)} /> <span class="muted">{rest}</span>
    </span>
  );
};

export const MonitorDecisions = ({ decisions }: { decisions: MonitorReport['decisions'] }) =>
  decisions.length === 0 ? (
    <Empty>Nothing followed from these windows.</Empty>
  ) : (
    <Table label="What it led to" columns={['When', 'What', 'End', 'Detail']}>
      {decisions
        .toReversed()
        .slice(0, MOST)
        .map(({ at, kind, title, detail, outcome }, index) => (
          <tr key={`${at}${index}`}>
            <td>
              <Ago at={at} />
            </td>
            <td class="clip narrow" title={title}>
              {kind}: {title}
            </td>
            <td>
              <End outcome={outcome} />
            </td>
            <td class="wide-cell">{detail}</td>
          </tr>
        ))}
    </Table>
  );
