/** Incidents with what can be done about each: acknowledge, resolve, silence. */
import { pathOf } from '../api/client.ts';
import type { Alert } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { ActButton } from '../ui/act.tsx';
import { counted, words } from '../ui/format.ts';
import { Link, monitorPath } from '../ui/link.tsx';
import { Empty, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

const DAY_MS = 86_400_000;
const COMMENT = { field: 'comment', required: false } as const;

const Acts = ({ alert }: { alert: Alert }) => {
  if (alert.state === 'resolved') return null;
  const path = (act: string): string => pathOf(`/api/v1/alerts/{id}/${act}`, { id: alert.alertId });
  return (
    <span class="actions">
      {alert.state === 'acknowledged' ? null : (
        <ActButton label="Acknowledge" title="Acknowledge the alert" effect={<p>Somebody takes care of it: it is not escalated any more. It stays open until its condition is clear.</p>} permission="alerts:write" path={path('acknowledge')} reason={COMMENT} primary />
      )}
      <ActButton label="Resolve" title="Resolve the alert" effect={<p>The incident is over. If the condition holds again, another one is opened.</p>} permission="alerts:write" path={path('resolve')} reason={COMMENT} />
      <ActButton
        label="Silence"
        title={`Silence ${words(alert.kind)} alerts of ${alert.model}`}
        effect={<p>For 24 hours no message is sent about {words(alert.kind)} alerts of {alert.model}. They are recorded and shown here as ever.</p>}
        permission="silences:write"
        path="/api/v1/silences"
        body={{ matcher: { model: alert.model, kind: alert.kind }, endsAt: new Date(Date.now() + DAY_MS).toISOString() }}
        reason={{ field: 'comment', required: true }}
      />
    </span>
  );
};

const Line = ({ alert, isChosen }: { alert: Alert; isChosen: boolean }) => (
  <li class={isChosen ? 'chosen' : undefined}>
    <StateMark state={alert.state} />
    <Link to={monitorPath(alert.model)}>{`${alert.model}: ${words(alert.kind)}`}</Link>
    <span class="muted">
      opened <Ago at={alert.openedAt} />
      {alert.occurrences > 1 ? `, ${counted(alert.occurrences, 'time')}` : ''}
      {alert.acknowledgedBy === null ? '' : `, acknowledged by ${alert.acknowledgedBy}`}
      {alert.resolvedBy === null ? '' : `, resolved by ${alert.resolvedBy === 'cleared' ? 'itself' : alert.resolvedBy}`}
    </span>
    <span class="end">
      <Acts alert={alert} />
    </span>
    <span class="reason">{alert.reason}</span>
  </li>
);

type Which = { model?: string; state?: 'unresolved' | 'resolved'; chosen?: string };

export const AlertLines = ({ model, state = 'unresolved', chosen }: Which) => (
  <Shown read={useRead('/api/v1/alerts', { query: { state, limit: 100, ...(model === undefined ? {} : { model }) } })}>
    {({ alerts }) =>
      alerts.length === 0 ? (
        <Empty>{state === 'resolved' ? 'No alert was resolved.' : 'No alert is open.'}</Empty>
      ) : (
        <ul class="lines">
          {alerts.map((alert) => (
            <Line key={alert.alertId} alert={alert} isChosen={alert.alertId === chosen} />
          ))}
        </ul>
      )
    }
  </Shown>
);
