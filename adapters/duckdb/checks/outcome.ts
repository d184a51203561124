/** What a check found, before it is put with its name and table. */
import type { CheckExample } from '../../../contracts/check-report.ts';

export type Outcome = { passed: boolean; failingRows: number; message: string; examples: CheckExample[] };

export const passedWith = (message: string): Outcome => ({ passed: true, failingRows: 0, message, examples: [] });
export const failedWith = (message: string): Outcome => ({ passed: false, failingRows: 0, message, examples: [] });

export const quoted = (columns: readonly { name: string }[]): string => columns.map(({ name }) => `"${name}"`).join(', ');
