/** What a version was made of, from the raw files on, and what was made of it. Many of a kind are one node, which says how many. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { hrefOf, navigate } from '../state/router.ts';
import { counted, shortId, words } from '../ui/format.ts';
import { LayeredGraph, NodeBox, type Placed } from '../ui/layered-graph.tsx';
import { deploymentPath, pipelinePath, runPath, versionPath } from '../ui/link.tsx';
import { Shown } from '../ui/page.tsx';

type Graph = Answer<'/api/v1/lineage'>;
type Node = Graph['nodes'][number];
type Box = { id: string; name: string; note: string; to?: string };

const SIZE = { width: 168, height: 52 };
/** More of one kind are drawn as one. */
const MOST_OF_A_KIND = 3;
const HASH = /^[0-9a-f]{32,}$/;

const NAMES: Record<string, string> = { featureSet: 'feature set' };

const addressOf = ({ kind, name, version }: Node): string | undefined => {
  if (kind === 'run') return runPath(name);
  if (kind === 'pipeline') return pipelinePath(name);
  if (kind === 'deployment') return deploymentPath(name);
  return kind === 'model' && /^\d+$/.test(version) ? versionPath(name, Number(version)) : undefined;
};

const boxOf = (node: Node): Box => {
  const kind = NAMES[node.kind] ?? words(node.kind);
  const version = HASH.test(node.version) ? node.version.slice(0, 10) : node.version;
  const to = addressOf(node);
  const name = node.kind === 'run' ? `run ${shortId(node.name)}` : HASH.test(node.name) ? node.name.slice(0, 12) : node.name;
  return { id: node.id, name, note: node.kind === 'run' ? 'run' : `${kind} ${version}`.trim(), ...(to === undefined ? {} : { to }) };
};

const idsOf = (graph: Graph): Map<string, string> => {
  const counts = new Map<string, number>();
  for (const { kind } of graph.nodes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return new Map(graph.nodes.map(({ id, kind }) => [id, (counts.get(kind) ?? 0) > MOST_OF_A_KIND && id !== graph.of ? `all ${kind}` : id]));
};

/** The graph as it is drawn: nodes and edges, each once. */
const drawnOf = (graph: Graph): { boxes: Box[]; edges: [string, string][] } => {
  const ids = idsOf(graph);
  const boxes = new Map<string, Box>();
  for (const node of graph.nodes) {
    const id = ids.get(node.id) ?? node.id;
    const many = graph.nodes.filter(({ kind }) => kind === node.kind);
    const to = node.kind === 'deployment' ? addressOf(node) : undefined;
    if (id !== node.id) boxes.set(id, { id, name: counted(many.length, NAMES[node.kind] ?? node.kind), note: [...new Set(many.map(({ name }) => name))].length === 1 ? node.name : 'of several names', ...(to === undefined ? {} : { to }) });
    else boxes.set(id, boxOf(node));
  }
  const edges = new Map<string, [string, string]>();
  for (const { from, to } of graph.edges) {
    const edge: [string, string] = [ids.get(from) ?? from, ids.get(to) ?? to];
    if (edge[0] !== edge[1]) edges.set(edge.join('\n'), edge);
  }
  return { boxes: [...boxes.values()], edges: [...edges.values()] };
};

const BoxAt = ({ box, at, isCentre }: { box: Box; at: Placed; isCentre: boolean }) => {
  const { to } = box;
  const content = <NodeBox at={at} size={SIZE} name={box.name} note={box.note} />;
  const look = `node tone-${isCentre ? 'good chosen' : to === undefined ? 'quiet' : 'busy'}`;
  if (to === undefined || isCentre) return <g class={look}>{content}</g>;
  return (
    <a
      class={look}
      href={hrefOf(to)}
      onClick={(event) => {
        event.preventDefault();
        navigate(to);
      }}
    >
      {content}
    </a>
  );
};

export const LineageGraph = ({ of }: { of: string }) => (
  <Shown read={useRead('/api/v1/lineage', { query: { of }, pollMs: 30_000 })}>
    {(graph) => {
      const { boxes, edges } = drawnOf(graph);
      return (
        <>
          <LayeredGraph label="Lineage" ids={boxes.map(({ id }) => id)} edges={edges} size={SIZE}>
            {(at) => {
              const box = boxes.find(({ id }) => id === at.id);
              return box === undefined ? null : <BoxAt key={at.id} box={box} at={at} isCentre={at.id === graph.of} />;
            }}
          </LayeredGraph>
          {graph.truncated ? <p class="muted">There is more than is shown.</p> : null}
        </>
      );
    }}
  </Shown>
);
