/** A graph from left to right, laid out by dagre, which comes when the first one is shown. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

export type Placed = { id: string; x: number; y: number };
type Layout = { width: number; height: number; nodes: Placed[]; edges: { x: number; y: number }[][] };
type Size = { width: number; height: number };

const layOut = async (ids: string[], edges: [string, string][], size: Size): Promise<Layout> => {
  const { graphlib, layout } = await import('@dagrejs/dagre');
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: 22, nodesep: 14, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { ...size });
  for (const [from, to] of edges) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as Partial<Size>;
  const nodes = graph.nodes().map((id) => ({ id: String(id), ...(graph.node(id) as { x: number; y: number }) }));
  return { width, height, nodes, edges: graph.edges().map((edge) => (graph.edge(edge) as { points: { x: number; y: number }[] }).points) };
};

const line = (points: { x: number; y: number }[]): string => points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');

type Graph = { label: string; ids: string[]; edges: [string, string][]; size: Size; children: (at: Placed) => ComponentChildren };

export const LayeredGraph = ({ label, ids, edges, size, children }: Graph) => {
  const [layout, setLayout] = useState<Layout>();
  const key = JSON.stringify([ids, edges]);
  useEffect(() => {
    let isGone = false;
    void layOut(ids, edges, size).then((done) => (isGone ? undefined : setLayout(done)));
    return () => void (isGone = true);
  }, [key]);
  // Until it is laid out its place is held, so that nothing below it jumps.
  if (layout === undefined) return <div class="graph-place" />;
  return (
    <div class="graph scroll" role="region" aria-label={label} tabIndex={0}>
      <svg style={{ maxWidth: `${layout.width}px` }} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label={label}>
        {layout.edges.map((points, index) => (
          <path key={index} d={line(points)} class="edge" />
        ))}
        {layout.nodes.map(children)}
      </svg>
    </div>
  );
};

/** A node with a name and a note under it. */
export const NodeBox = ({ at, size, name, note, sign }: { at: Placed; size: Size; name: string; note: string; sign?: string }) => {
  const [left, most] = [at.x - size.width / 2, Math.floor(size.width / 8.6)];
  return (
    <>
      <title>{`${name} ${note}`}</title>
      <rect x={left} y={at.y - size.height / 2} width={size.width} height={size.height} rx="6" />
      <text x={left + 10} y={at.y - 4} class="node-name">
        {sign === undefined ? null : <tspan aria-hidden="true">{sign} </tspan>}
        {name.length > most ? `${name.slice(0, most - 1)}…` : name}
      </text>
      <text x={left + 10} y={at.y + 14} class="node-note">
        {note}
      </text>
    </>
  );
};
