/** A twin in which two activities are swapped in each workflow: what a replay test must catch. */
import { bundleTwin, type SourceChange } from '../support/twin-bundle.ts';

type Swap = { file: string; first: string; second: string };

/** In each file the two pieces change places. */
const SWAPS: Record<string, Swap> = {
  pipelineRun: { file: 'model-pipeline.ts', first: '.ingest({', second: '.features({' },
  rollout: { file: 'rollout-walk.ts', first: '.shiftTraffic(', second: '.readServingWindow(' },
  hyperparameterSearch: { file: 'hyperparameter-search.ts', first: '.prepareSearch(', second: '.recordTrial(' },
  searchTrial: { file: 'search-trial.ts', first: '.trainTrial(', second: '.scoreTrial(' },
  alert: { file: 'alert.ts', first: '.recordAlerts(', second: '.deliverAlert(' },
  modelMonitor: { file: 'model-monitor.ts', first: '.evaluateMonitorWindows(', second: '.recordMonitorDecision(' },
  pipelineTriggers: { file: 'pipeline-triggers.ts', first: '.loadPipeline(', second: '.recordTriggers(' },
  scheduledTrigger: { file: 'scheduled-trigger.ts', first: '.resolveTrigger(', second: '.runPresence(' },
};

export const changedWorkflows = Object.keys(SWAPS);

const swap = ({ file, first, second }: Swap): SourceChange => ({
  file,
  change: (source) => {
    if (!source.includes(first) || !source.includes(second)) throw new Error(`${file} no longer has ${first} and ${second}: the twin would not differ`);
    const marker = '\0';
    return source.replace(first, marker).replace(second, first).replace(marker, second);
  },
});

/** Builds the bundle of the twin. */
export const bundleChangedTwin = (): Promise<{ code: string }> => bundleTwin(Object.values(SWAPS).map(swap));
