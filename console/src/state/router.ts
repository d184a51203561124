/** Where the reader is: the address under /console, with every filter in its query, so that each view can be linked to. */
import { signal } from '@preact/signals';

const BASE = '/console';

export type Place = { path: string; query: URLSearchParams };

const present = (): Place => ({ path: location.pathname.slice(BASE.length).replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search) });

export const place = signal<Place>(present());

addEventListener('popstate', () => (place.value = present()));

export const hrefOf = (to: string): string => `${BASE}${to === '/' ? '' : to}`;

/** Goes to an address within the console; `replace` leaves no step in the browser's history. */
export const navigate = (to: string, { replace = false } = {}): void => {
  history[replace ? 'replaceState' : 'pushState'](null, '', hrefOf(to));
  const before = place.value.path;
  place.value = present();
  if (place.value.path !== before) scrollTo(0, 0);
};

/** Sets or (with undefined or '') removes parameters of the present address. */
export const setQuery = (changes: Record<string, string | undefined>): void => {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(`${place.value.path}${text === '' ? '' : `?${text}`}`, { replace: true });
};

/** The parameters of a pattern such as /runs/:id in a path; undefined when it does not match. */
export const match = (pattern: string, path: string): Record<string, string> | undefined => {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decode(actual);
    else if (part !== actual) return undefined;
  }
  return params;
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
