/** Instants: the distance to read, the exact time in the reader's zone on hover. */
import { signal } from '@preact/signals';
import { distance, exactly } from './format.ts';

/** Moves once a second, for all ages on a page at once. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);

export const Ago = ({ at }: { at: string | null }) =>
  at === null ? (
    <span class="muted">–</span>
  ) : (
    <time dateTime={at} title={exactly(at)}>
      {distance(Date.parse(at), now.value)}
    </time>
  );
