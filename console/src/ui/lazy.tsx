/** Parts that come as files of their own, when they are first needed. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export type LazyPart<P> = () => Promise<ComponentType<P>>;

const loaded = new Map<unknown, unknown>();

/** `load` must be the same function each time: it is what is remembered. */
export const Lazy = <P extends object>({ load, part }: { load: LazyPart<P>; part: P }) => {
  const [, redraw] = useState(0);
  const Component = loaded.get(load) as ComponentType<P> | undefined;
  useEffect(() => {
    if (loaded.has(load)) return;
    void load().then((component) => {
      loaded.set(load, component);
      redraw((count) => count + 1);
    });
  }, [load]);
  return Component === undefined ? <div class="loading" role="status">Loading…</div> : <Component {...part} />;
};
