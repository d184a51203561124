/** Which silence holds a message back. */
import type { AlertView, Silence } from '../contracts/alert.ts';
import { matchesWildcard } from './wildcard.ts';

/** Everything that a silence or an Alertmanager route can match. */
export const labelsOf = ({ labels, model, kind, subject, pipeline }: AlertView): Record<string, string> => ({ ...labels, model, kind, subject, pipeline });

const matches = ({ matcher }: Silence, alert: AlertView): boolean => {
  const labels = labelsOf(alert);
  const wanted = Object.entries(matcher.labels);
  return (
    (matcher.model === undefined || matchesWildcard(matcher.model, alert.model)) &&
    (matcher.kind === undefined || matchesWildcard(matcher.kind, alert.kind)) &&
    wanted.every(([name, pattern]) => labels[name] !== undefined && matchesWildcard(pattern, labels[name]))
  );
};

/** The silence that holds an alert back for longest at this time; undefined when none does. */
export const silenceOf = (silences: Silence[], alert: AlertView, nowMs: number): Silence | undefined =>
  silences
    .filter((silence) => Date.parse(silence.startsAt) <= nowMs && nowMs < Date.parse(silence.endsAt) && matches(silence, alert))
    .sort((first, second) => Date.parse(second.endsAt) - Date.parse(first.endsAt))[0];
