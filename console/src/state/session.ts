/** Who is signed in; null: nobody; undefined: not known yet. */
import { signal } from '@preact/signals';
import { ApiProblem, isOutage, send } from '../api/client.ts';
import type { Permission, Session } from '../api/types.ts';

export const session = signal<Session | null | undefined>(undefined);

const AGAIN_MS = 1_000;

/** Asks who is signed in, until the API answers. */
export const loadSession = async (): Promise<void> => {
  try {
    session.value = await send<Session>('/api/v1/session');
  } catch (error) {
    if (error instanceof ApiProblem && isOutage(error.problem)) setTimeout(() => void loadSession(), AGAIN_MS);
    else session.value = null;
  }
};

export const signIn = async (key: string): Promise<void> => {
  session.value = await send<Session>('/api/v1/session', { method: 'POST', body: { key } });
};

export const signOut = async (): Promise<void> => {
  await send('/api/v1/session', { method: 'DELETE' });
  session.value = null;
};

/** Whether the role may do this; what it may not is not offered. */
export const may = (permission: Permission): boolean => session.value?.permissions.includes(permission) ?? false;
