/** Dark or light: as the system says, or as the reader chose, which this browser remembers. */
import { effect, signal } from '@preact/signals';

export type Theme = 'light' | 'dark';

const KEY = 'perennial.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

const chosen = (): Theme | undefined => {
  const text = localStorage.getItem(KEY);
  return text === 'light' || text === 'dark' ? text : undefined;
};

export const theme = signal<Theme>(chosen() ?? (dark.matches ? 'dark' : 'light'));

dark.addEventListener('change', ({ matches }) => {
  if (chosen() === undefined) theme.value = matches ? 'dark' : 'light';
});

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export const toggleTheme = (): void => {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem(KEY, theme.value);
};
