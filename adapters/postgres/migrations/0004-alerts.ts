/** Alerts: incidents, their messages, and silences. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // (model, kind, subject, opened_by): an occurrence that comes again, after its incident is over, does not open a second one
  `create table alerts (
    alert_id text primary key, model text not null, kind text not null, subject text not null, pipeline text not null,
    labels jsonb not null, state text not null, reason text not null, occurrences int not null, opened_by text not null,
    opened_at timestamptz not null, escalated_at timestamptz, acknowledged_at timestamptz, acknowledged_by text,
    resolved_at timestamptz, resolved_by text, comment text, revision int not null, updated_at timestamptz not null default now(),
    constraint alerts_opened_once unique (model, kind, subject, opened_by))`,
  // one open incident per key
  `create unique index alerts_open_once on alerts (model, kind, subject) where state <> 'resolved'`,
  `create index alerts_by_age on alerts (opened_at desc, alert_id desc)`,
  // (alert_id, state, receiver): one message per incident, state and receiver
  `create table alert_deliveries (
    alert_id text not null references alerts(alert_id), state text not null, receiver text not null, delivery_id text not null,
    status text not null, attempts int not null default 0, error text, silence_id text,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(), sent_at timestamptz,
    primary key (alert_id, state, receiver))`,
  `create table silences (
    silence_id text primary key, matcher jsonb not null, starts_at timestamptz not null, ends_at timestamptz not null,
    created_by text not null, comment text not null, created_at timestamptz not null default now())`,
  `create index silences_by_end on silences (ends_at)`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
