/** What is wrong, what was, and which messages are held back. */
import { pathOf } from '../api/client.ts';
import { useRead } from '../state/query.ts';
import { place, setQuery } from '../state/router.ts';
import { ActButton } from '../ui/act.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';
import { AlertLines } from './alert-lines.tsx';

const matcherText = ({ model, kind, labels }: { model?: string | undefined; kind?: string | undefined; labels?: Record<string, string> | undefined }): string =>
  [model === undefined ? '' : `model ${model}`, kind === undefined ? '' : `kind ${kind}`, ...Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`)].filter((part) => part !== '').join(', ');

const Silences = () => (
  <Shown read={useRead('/api/v1/silences')}>
    {({ silences }) => {
      const active = silences.filter((silence) => silence.active);
      if (active.length === 0) return <Empty>Nothing is silenced.</Empty>;
      return (
        <ul class="lines">
          {active.map((silence) => (
            <li key={silence.silenceId}>
              <StateMark state="paused" label="silenced" />
              <span>{matcherText(silence.matcher)}</span>
              <span class="muted">
                by {silence.createdBy}: {silence.comment}; ends <Ago at={silence.endsAt} />
              </span>
              <span class="end">
                <ActButton
                  label="End it"
                  title="End the silence"
                  effect={<p>Messages that it held back are sent now, for alerts that are still open.</p>}
                  permission="silences:write"
                  path={pathOf('/api/v1/silences/{id}', { id: silence.silenceId })}
                  method="DELETE"
                />
              </span>
            </li>
          ))}
        </ul>
      );
    }}
  </Shown>
);

export const Alerts = () => {
  const { query } = place.value;
  const [model, chosen] = [query.get('model') ?? undefined, query.get('id') ?? undefined];
  const which = { ...(model === undefined ? {} : { model }), ...(chosen === undefined ? {} : { chosen }) };
  return (
    <Page title="Alerts">
      {model === undefined ? null : (
        <p>
          Of {model} alone.{' '}
          <button type="button" onClick={() => setQuery({ model: undefined })}>
            All models
          </button>
        </p>
      )}
      <div class="panels">
        <Panel title="Open" wide>
          <AlertLines {...which} />
        </Panel>
        <Panel title="Silences" wide>
          <Silences />
        </Panel>
        <Panel title="Resolved" wide>
          <AlertLines {...which} state="resolved" />
        </Panel>
      </div>
    </Page>
  );
};
