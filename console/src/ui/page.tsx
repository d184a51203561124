/** The parts that every page is made of. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Problem } from '../api/client.ts';
import type { Read } from '../state/query.ts';

/** Names the page in the window too. */
export const Page = ({ title, lead, actions, children }: { title: string; lead?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) => {
  useEffect(() => {
    document.title = `${title} · Perennial`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{title}</h1>
          {lead === undefined ? null : <p class="lead">{lead}</p>}
        </div>
        <div class="actions">{actions}</div>
      </header>
      {children}
    </>
  );
};

export const Panel = ({ title, note, children, wide = false }: { title: string; note?: ComponentChildren; children: ComponentChildren; wide?: boolean }) => (
  <section class={wide ? 'panel wide' : 'panel'} aria-label={title}>
    <div class="panel-head">
      <h2>{title}</h2>
      {note === undefined ? null : <span class="muted">{note}</span>}
    </div>
    {children}
  </section>
);

/** Nothing here yet, and the command that changes that. */
export const Empty = ({ children, command }: { children: ComponentChildren; command?: string }) => (
  <div class="empty">
    <p>{children}</p>
    {command === undefined ? null : <code>{command}</code>}
  </div>
);

export const ProblemNote = ({ problem }: { problem: Problem }) => (
  <div class="problem" role="alert">
    <strong>{problem.title}</strong>
    <p>
      {problem.detail} <code>{problem.code}</code>
    </p>
    <p>{problem.fix}</p>
  </div>
);

/** What was read, or why not. While the first answer is on its way the place is held. */
export const Shown = <T,>({ read, children }: { read: Read<T>; children: (data: T) => ComponentChildren }) => {
  if (read.data !== undefined) return <>{children(read.data)}</>;
  if (read.problem !== undefined) return <ProblemNote problem={read.problem} />;
  return (
    <div class="loading" role="status">
      Loading…
    </div>
  );
};

/** Pairs of a name and its value. */
export const Facts = ({ facts }: { facts: [string, ComponentChildren][] }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/** A wide table scrolls by itself, also by keyboard. */
export const Scroll = ({ label, children }: { label: string; children: ComponentChildren }) => (
  // A region that scrolls must be reachable without a mouse.
  <div class="scroll" role="region" aria-label={label} tabIndex={0}>
    {children}
  </div>
);
