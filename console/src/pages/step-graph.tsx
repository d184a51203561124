/** The steps as a graph, laid out by dagre, which comes when it is first needed. Each step is a link to its details. */
import { useEffect, useState } from 'preact/hooks';
import type { Run, Step } from '../api/types.ts';
import { hrefOf, setQuery } from '../state/router.ts';
import { duration, words } from '../ui/format.ts';
import { runPath } from '../ui/link.tsx';
import { signOf, toneOf } from '../ui/state-mark.tsx';

const NODE = { width: 126, height: 52 };

type Placed = { name: string; x: number; y: number };
type Layout = { width: number; height: number; nodes: Placed[]; edges: { x: number; y: number }[][] };

const layOut = async (names: string[]): Promise<Layout> => {
  const { graphlib, layout } = await import('@dagrejs/dagre');
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: 22, nodesep: 18, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names) graph.setNode(name, { ...NODE });
  for (const [index, name] of names.entries()) if (index > 0) graph.setEdge(names[index - 1] ?? '', name);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const nodes = graph.nodes().map((name) => ({ name: String(name), ...(graph.node(name) as { x: number; y: number }) }));
  const edges = graph.edges().map((edge) => (graph.edge(edge) as { points: { x: number; y: number }[] }).points);
  return { width, height, nodes, edges };
};

const line = (points: { x: number; y: number }[]): string => points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');

const Node = ({ run, step, at, isChosen }: { run: Run; step: Step; at: Placed; isChosen: boolean }) => {
  const to = `${runPath(run.runId)}?step=${encodeURIComponent(step.name)}`;
  const under = step.durationMs === null ? words(step.state) : `${words(step.state)}, ${duration(step.durationMs)}`;
  return (
    <a
      href={hrefOf(to)}
      class={`node tone-${toneOf(step.state)}${isChosen ? ' chosen' : ''}`}
      onClick={(event) => {
        event.preventDefault();
        setQuery({ step: step.name });
      }}
    >
      <rect x={at.x - NODE.width / 2} y={at.y - NODE.height / 2} width={NODE.width} height={NODE.height} rx="6" />
      <text x={at.x - NODE.width / 2 + 10} y={at.y - 4} class="node-name">
        <tspan aria-hidden="true">{signOf(step.state)} </tspan>
        {step.name.length > 14 ? `${step.name.slice(0, 13)}…` : step.name}
      </text>
      <text x={at.x - NODE.width / 2 + 10} y={at.y + 15} class="node-note">
        {under.length > 22 ? duration(step.durationMs) : under}
      </text>
    </a>
  );
};

export const StepGraph = ({ run, chosen }: { run: Run; chosen: string | undefined }) => {
  const names = run.steps.map(({ name }) => name);
  const key = names.join('\n');
  const [layout, setLayout] = useState<Layout>();
  useEffect(() => {
    let isGone = false;
    void layOut(names).then((done) => (isGone ? undefined : setLayout(done)));
    return () => void (isGone = true);
  }, [key]);
  if (layout === undefined) return <div class="graph-place" />;
  return (
    <div class="graph scroll" role="region" aria-label="Graph of the steps" tabIndex={0}>
      <svg style={{ maxWidth: `${layout.width}px` }} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label="Steps in their order">
        {layout.edges.map((points, index) => (
          <path key={index} d={line(points)} class="edge" />
        ))}
        {layout.nodes.map((at) => {
          const step = run.steps.find(({ name }) => name === at.name);
          return step === undefined ? null : <Node key={at.name} run={run} step={step} at={at} isChosen={at.name === chosen} />;
        })}
      </svg>
    </div>
  );
};
