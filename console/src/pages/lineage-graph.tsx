/** Everything that a version's bytes depend on, from the raw data to the version. */
import type { ModelVersion } from '../api/types.ts';
import { hrefOf, navigate } from '../state/router.ts';
import { shortId } from '../ui/format.ts';
import { LayeredGraph, NodeBox } from '../ui/layered-graph.tsx';
import { deploymentPath, pipelinePath, runPath } from '../ui/link.tsx';

const SIZE = { width: 176, height: 52 };

type Node = { id: string; name: string; note: string; to?: string };

const nodesOf = ({ model, version, lineage, runId }: ModelVersion): Node[] => [
  { id: 'pipeline', name: lineage.pipeline, note: `pipeline, version ${lineage.pipelineVersion}`, to: pipelinePath(lineage.pipeline) },
  { id: 'dataset', name: lineage.dataset, note: `dataset ${lineage.datasetVersion.slice(0, 12)}` },
  { id: 'features', name: 'feature set', note: `version ${lineage.featureSetVersion.slice(0, 12)}` },
  { id: 'run', name: `run ${shortId(runId)}`, note: `${lineage.trainer.slice(0, 14)}, seed ${lineage.seed}`, to: runPath(runId) },
  { id: 'version', name: model, note: `version ${version}` },
  { id: 'deployment', name: 'deployment', note: 'what is served now', to: deploymentPath(model) },
];

const EDGES: [string, string][] = [
  ['dataset', 'features'],
  ['pipeline', 'features'],
  ['pipeline', 'run'],
  ['features', 'run'],
  ['run', 'version'],
  ['version', 'deployment'],
];

export const LineageGraph = ({ version }: { version: ModelVersion }) => {
  const nodes = nodesOf(version);
  return (
    <LayeredGraph label="Lineage" ids={nodes.map(({ id }) => id)} edges={EDGES} size={SIZE}>
      {(at) => {
        const node = nodes.find(({ id }) => id === at.id);
        if (node === undefined) return null;
        const box = <NodeBox at={at} size={SIZE} name={node.name} note={node.note} />;
        const { to } = node;
        if (to === undefined) return <g key={at.id} class="node tone-quiet">{box}</g>;
        return (
          <a
            key={at.id}
            class="node tone-busy"
            href={hrefOf(to)}
            onClick={(event) => {
              event.preventDefault();
              navigate(to);
            }}
          >
            {box}
          </a>
        );
      }}
    </LayeredGraph>
  );
};
