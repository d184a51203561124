/** Page by page: a list of any length costs the same. The place is in the address. */
import { setQuery } from '../state/router.ts';

export const Pages = ({ next, before }: { next: string | number | null; before: string | number | undefined }) => (
  <div class="pages">
    {before === undefined ? null : (
      <button type="button" onClick={() => setQuery({ before: undefined })}>
        Newest
      </button>
    )}
    {next === null ? null : (
      <button type="button" onClick={() => setQuery({ before: String(next) })}>
        Older
      </button>
    )}
  </div>
);
