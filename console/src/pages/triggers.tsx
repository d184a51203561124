/** The ledger: every trigger with what became of it, so that nothing is lost without a word. */
import type { Trigger } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { shortId } from '../ui/format.ts';
import { Link, runPath } from '../ui/link.tsx';
import { Empty, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const isRunId = (text: string): boolean => /^[A-Za-z0-9][\w.-]*\.[A-Za-z0-9-]+$/.test(text) && !text.includes('/');

const LedTo = ({ trigger: { runId, coalescedInto, rejection } }: { trigger: Trigger }) => {
  if (runId !== null) return <Link to={runPath(runId)}>run {shortId(runId)}</Link>;
  if (coalescedInto !== null) return isRunId(coalescedInto) ? <Link to={runPath(coalescedInto)}>into run {shortId(coalescedInto)}</Link> : <span class="muted">into a trigger that waited</span>;
  return <span>{rejection ?? ''}</span>;
};

export const Triggers = ({ pipeline }: { pipeline: string }) => (
  <Shown read={useRead('/api/v1/triggers', { query: { pipeline, limit: 50 } })}>
    {({ triggers }) =>
      triggers.length === 0 ? (
        <Empty>Nothing has triggered it by itself: no schedule, no event, no drift.</Empty>
      ) : (
        <Table label="Triggers" columns={['When', 'Kind', 'Became', 'Led to', 'Because', 'Source']}>
          {triggers.map((trigger) => (
            <tr key={trigger.triggerId}>
              <td>
                <Ago at={trigger.at} />
              </td>
              <td>{trigger.kind}</td>
              <td>
                <StateMark state={trigger.outcome} />
              </td>
              <td class="wide-cell">
                <LedTo trigger={trigger} />
              </td>
              <td class="wide-cell">{trigger.reason}</td>
              <td class="muted clip" title={trigger.source}>
                {trigger.source}
              </td>
            </tr>
          ))}
        </Table>
      )
    }
  </Shown>
);
