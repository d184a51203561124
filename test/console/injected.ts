/** Asks a page whether a text became more than a text. */
import type { Page } from 'playwright-core';

type Element = { tagName: string; attributes: { name: string; value: string }[] };

/** Where the function below runs. */
declare const document: { querySelectorAll: (selector: string) => Element[] };

/** Elements that the console never makes, or with a handler or a running address in them. */
export const injectedIn = (page: Page): Promise<{ ran: boolean; elements: string[] }> =>
  page.evaluate(() => {
    const isBad = ({ tagName, attributes }: Element): boolean =>
      /^(iframe|object|embed|template|math|form\[action\])$/i.test(tagName) || [...attributes].some(({ name, value }) => name.startsWith('on') || (/^(href|src|action|data|xlink:href)$/.test(name) && /^\s*(javascript|data:text)/i.test(value)));
    const scripts = [...document.querySelectorAll('script')].filter(({ attributes }) => ![...attributes].some(({ name, value }) => name === 'src' && value.startsWith('/console/assets/')));
    const elements = [...[...document.querySelectorAll('#app *')].filter(isBad), ...scripts].map(({ tagName }) => tagName);
    return { ran: 'injected' in globalThis, elements };
  });
