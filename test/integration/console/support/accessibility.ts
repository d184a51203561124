/** What can only be asked within a page: what axe finds there, what its scripts may read, where the focus is. */
import type { Page } from 'playwright-core';

type Finding = { id: string; impact: string; nodes: string[] };

/** Runs in the page, where axe is a global. */
declare const axe: { run: (context: unknown, options: unknown) => Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary?: string }[] }[] }> };

/** Where the functions below run. */
declare const document: { cookie: string; activeElement: { textContent: string } | null };

export const cookiesOfScripts = (page: Page): Promise<string> => page.evaluate(() => document.cookie);
export const focusedText = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');

/** Serious and critical findings, with the element each is about. */
export const seriousFindings = (page: Page): Promise<Finding[]> =>
  page.evaluate(async () => {
    const { violations } = await axe.run('html', { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary ?? ''}`) }));
  });
