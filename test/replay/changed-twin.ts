/**
 * A twin of the workflows in which two activities are swapped in each workflow: what a replay test must catch. It is made from the
 * present sources, so that it differs from them in nothing else.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Swap = { file: string; first: string; second: string };

/** In each file the two pieces change places. */
const SWAPS: Record<string, Swap> = {
  pipelineRun: { file: 'model-pipeline.ts', first: '.ingest({', second: '.features({' },
  rollout: { file: 'rollout-walk.ts', first: '.shiftTraffic(', second: '.readServingWindow(' },
  modelMonitor: { file: 'model-monitor.ts', first: '.evaluateMonitorWindows(', second: '.recordMonitorDecision(' },
  pipelineTriggers: { file: 'pipeline-triggers.ts', first: '.loadPipeline(', second: '.recordTriggers(' },
};

export const changedWorkflows = Object.keys(SWAPS);

const swap = (folder: string, { file, first, second }: Swap): void => {
  const path = join(folder, 'workflows', file);
  const source = readFileSync(path, 'utf8');
  if (!source.includes(first) || !source.includes(second)) throw new Error(`${file} no longer has ${first} and ${second}: the twin would not differ`);
  const marker = '\0';
  writeFileSync(path, source.replace(first, marker).replace(second, first).replace(marker, second));
};

/** Builds the bundle of the twin. */
export const bundleChangedTwin = async (): Promise<{ code: string }> => {
  // Inside of the project, so that its packages are found.
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'changed-twin-'));
  try {
    for (const source of ['contracts', 'domain', 'workflows']) cpSync(join(root, source), join(folder, source), { recursive: true });
    Object.values(SWAPS).forEach((change) => swap(folder, change));
    return await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows', 'index.ts'), logger: new DefaultLogger('ERROR') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
