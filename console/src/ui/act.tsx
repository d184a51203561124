/**
 * An act on the real system: a button that asks once, says what will happen, and sends one idempotent request. It is not there for a role that may not.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { problemFrom, send, type Problem } from '../api/client.ts';
import type { Permission } from '../api/types.ts';
import { refreshAll } from '../state/query.ts';
import { may } from '../state/session.ts';
import { ProblemNote } from './page.tsx';

type Act = {
  label: string;
  /** The question, and what will happen. */
  title: string;
  effect: ComponentChildren;
  permission: Permission;
  path: string;
  method?: 'POST' | 'DELETE' | 'PUT';
  /** Asks for a reason, sent under this name. */
  reason?: { field: 'reason' | 'comment'; required: boolean };
  body?: Record<string, unknown>;
  danger?: boolean;
  primary?: boolean;
  /** Fields of the form beyond the reason. */
  fields?: ComponentChildren;
  onDone?: (answer: unknown) => void;
};

const bodyOf = ({ reason, body, method }: Act, text: string): unknown => {
  const given = text.trim();
  const withReason = reason === undefined || given === '' ? {} : { [reason.field]: given };
  return method === 'DELETE' ? undefined : { ...body, ...withReason };
};

const ReasonField = ({ reason, text, onText }: { reason: NonNullable<Act['reason']>; text: string; onText: (text: string) => void }) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{reason.required ? 'Reason (kept in the audit trail)' : 'Comment (optional)'}</label>
      <input id={id} value={text} maxLength={500} required={reason.required} autocomplete="off" onInput={(event) => onText(event.currentTarget.value)} />
    </div>
  );
};

const Dialog = ({ act, onClose }: { act: Act; onClose: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // One key per question: a request that is sent again is the same act.
  const [key] = useState(() => crypto.randomUUID());
  const [text, setText] = useState('');
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => dialog.current?.showModal(), []);
  const confirm = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSending(true);
    setProblem(undefined);
    try {
      const answer = await send<unknown>(act.path, { method: act.method ?? 'POST', body: bodyOf(act, text), idempotencyKey: key });
      await refreshAll();
      onClose();
      act.onDone?.(answer);
    } catch (error) {
      setProblem(problemFrom(error));
      setSending(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <form onSubmit={(event) => void confirm(event)}>
        <h2 id={titleId}>{act.title}</h2>
        <div class="effect">{act.effect}</div>
        {act.fields}
        {act.reason === undefined ? null : <ReasonField reason={act.reason} text={text} onText={setText} />}
        {problem === undefined ? null : <ProblemNote problem={problem} />}
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class={act.danger === true ? 'danger' : 'primary'} disabled={isSending}>
            {act.label}
          </button>
        </div>
      </form>
    </dialog>
  );
};

export const ActButton = (act: Act) => {
  const [isAsked, setAsked] = useState(false);
  if (!may(act.permission)) return null;
  const tone = act.danger === true ? 'danger-outline' : act.primary === true ? 'primary' : undefined;
  return (
    <>
      <button type="button" class={tone} onClick={() => setAsked(true)}>
        {act.label}
      </button>
      {isAsked ? <Dialog act={act} onClose={() => setAsked(false)} /> : null}
    </>
  );
};
