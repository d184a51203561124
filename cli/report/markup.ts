/** HTML and SVG from templates in which every value is escaped: names of columns and reasons are other people's text. */
export type Markup = { readonly html: string };

type Value = Markup | string | number | null | undefined | readonly Markup[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Characters that XML does not know (controls), and those that turn the direction of text. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

export const escape = (text: string): string => text.replace(FORBIDDEN, '').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

const isMarkup = (value: Value): value is Markup => typeof value === 'object' && value !== null && 'html' in value;

const render = (value: Value): string => {
  if (value === null || value === undefined) return '';
  if (isMarkup(value)) return value.html;
  return Array.isArray(value) ? value.map(render).join('') : escape(String(value));
};

/** A template; what is put in is escaped unless it is markup itself. */
export const markup = (parts: TemplateStringsArray, ...values: Value[]): Markup => ({ html: parts.reduce((text, part, index) => text + render(values[index - 1]) + part) });

export const nothing: Markup = { html: '' };
