/**
 * A twin of the workflows: the present sources with a few pieces of text replaced, built as a bundle of its own. Tests prove with it
 * that they would see a change, because the twin differs from what ships in nothing else.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Changes the source of one file of `workflows/`; must throw when it does not find what it changes. */
export type SourceChange = { file: string; change: (source: string) => string };

const apply = (folder: string, { file, change }: SourceChange): void => {
  const path = join(folder, 'workflows', file);
  const source = readFileSync(path, 'utf8');
  const changed = change(source);
  if (changed === source) throw new Error(`${file} is not changed: the twin would not differ`);
  writeFileSync(path, changed);
};

/** Builds the bundle of the twin. */
export const bundleTwin = async (changes: SourceChange[]): Promise<{ code: string }> => {
  // Inside of the project, so that its packages are found.
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'twin-'));
  try {
    for (const source of ['contracts', 'domain', 'workflows']) cpSync(join(root, source), join(folder, source), { recursive: true });
    changes.forEach((change) => apply(folder, change));
    return await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows', 'index.ts'), logger: new DefaultLogger('ERROR') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Replaces the only occurrence of `text`. */
export const replaceOnce =
  (text: string, replacement: string): SourceChange['change'] =>
  (source) => {
    const pieces = source.split(text);
    if (pieces.length !== 2) throw new Error(`"${text}" is there ${pieces.length - 1} times, not once`);
    return pieces.join(replacement);
  };
