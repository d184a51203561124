/** Page tokens: opaque to clients, they hold how many entries to pass over and a mark of the search that they belong to. */
import { invalidValue } from './refusal.ts';

/** FNV-1a over UTF-16 units: tells a token of another search, nothing more. */
const markOf = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash.toString(36);
};

/** How many entries come before the page. @throws TrackingRefusal when the token is not of this search */
export const offsetOf = (token: string | undefined, search: string): number => {
  if (token === undefined || token === '') return 0;
  const [, offset, mark] = /^p([0-9a-z]{1,10})\.([0-9a-z]{1,7})$/.exec(token) ?? [];
  if (offset === undefined || mark !== markOf(search)) throw invalidValue('page_token is not one of this search: send the next_page_token of the answer before, with the same filter and order');
  return Number.parseInt(offset, 36);
};

export type Page<Entry> = { entries: Entry[]; nextPageToken: string | undefined };

/** One page of entries that were read with one more than wanted. */
export const pageOf = <Entry>(entries: Entry[], { limit, offset, search }: { limit: number; offset: number; search: string }): Page<Entry> =>
  entries.length <= limit ? { entries, nextPageToken: undefined } : { entries: entries.slice(0, limit), nextPageToken: `p${(offset + limit).toString(36)}.${markOf(search)}` };
