/** Who gets which share of the requests. */
import type { Deployment } from '../api/types.ts';

type Split = Deployment['split'];

const textOf = ({ stable, canary, canaryWeight }: Split): string => {
  if (stable === null && canary === null) return 'Nothing is served';
  if (canary === null) return `Version ${stable} serves all requests`;
  if (stable === null) return `Version ${canary} serves ${canaryWeight} % of the requests; there is no version before it`;
  return `Version ${stable} serves ${100 - canaryWeight} %, version ${canary} ${canaryWeight} %`;
};

export const SplitBar = ({ split }: { split: Split }) => (
  <div class="split">
    <div class="split-bar" aria-hidden="true">
      {split.stable === null ? null : <span class="split-stable" style={{ width: `${100 - split.canaryWeight}%` }} />}
      {split.canary === null ? null : <span class="split-canary" style={{ width: `${split.canaryWeight}%` }} />}
    </div>
    <span>{textOf(split)}</span>
  </div>
);
