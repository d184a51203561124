/**
 * Where things come from and what they led to: source file, dataset version, feature set, model version, deployment, inference, with the pipeline
 * version and the run that made them. A thing is named `<kind>:<name>@<version>`; an edge goes from what was used to what was made of it.
 */
import { PerennialFailure } from './failure.ts';

export const LINEAGE_KINDS = ['file', 'dataset', 'featureSet', 'pipeline', 'run', 'model', 'deployment', 'inference'] as const;
export type LineageKind = (typeof LINEAGE_KINDS)[number];

/** `version` is empty for files, runs and inferences, which have only one. */
export type LineageName = { kind: LineageKind; name: string; version: string };

/** `at` is when it came into being, ISO 8601 in UTC. Facts are what a person reads beside the name. */
export type LineageNode = LineageName & { id: string; at: string | null; facts: Record<string, string | number | null> };
export type LineageEdge = { from: string; to: string };

const HAS_VERSION: Record<LineageKind, boolean> = { file: false, dataset: true, featureSet: true, pipeline: true, run: false, model: true, deployment: true, inference: false };

const HOW = 'name it file:<sha256>, dataset:<name>@<version>, featureSet:<name>@<version>, pipeline:<name>@<version>, run:<run id>, model:<name>@<version or alias>, deployment:<model>@<generation> or inference:<model>/<inference id>';

/** The id of a thing: `model:flights@3`. */
export const lineageId = ({ kind, name, version }: LineageName): string => (HAS_VERSION[kind] ? `${kind}:${name}@${version}` : `${kind}:${name}`);

/**
 * Reads an id.
 * @throws PerennialFailure InvalidRequest
 */
export const parseLineageId = (text: string): LineageName => {
  const [, kind = '', rest = ''] = /^([a-zA-Z]+):(.+)$/s.exec(text) ?? [];
  const known = LINEAGE_KINDS.find((candidate) => candidate === kind);
  if (known === undefined) throw new PerennialFailure('InvalidRequest', `of is "${text.slice(0, 100)}": ${HOW}`);
  if (!HAS_VERSION[known]) return { kind: known, name: rest, version: '' };
  const at = rest.lastIndexOf('@');
  if (at < 1 || at === rest.length - 1) throw new PerennialFailure('InvalidRequest', `of is "${text.slice(0, 100)}", without a version: ${HOW}`);
  return { kind: known, name: rest.slice(0, at), version: rest.slice(at + 1) };
};

export type LineageGraph = { nodes: LineageNode[]; edges: LineageEdge[]; truncated: boolean };

/** Looks up what a thing was made of, or what was made of it. */
export type LineageNeighbours = (node: LineageNode) => Promise<LineageNode[]>;

/**
 * Everything that is reached from a thing in one direction, nearest first.
 *
 * @param direction whether neighbours are what a node was made of (`upstream`) or what was made of it
 * @param most nodes after which the walk ends, and says so
 */
export const walkLineage = async (origin: LineageNode, { direction, neighboursOf, most }: { direction: 'upstream' | 'downstream'; neighboursOf: LineageNeighbours; most: number }): Promise<LineageGraph> => {
  const nodes = new Map([[origin.id, origin]]);
  const edges: LineageEdge[] = [];
  let truncated = false;
  // A Map is walked in the order in which it was filled, also by what is added meanwhile.
  for (const node of nodes.values()) {
    for (const neighbour of await neighboursOf(node)) {
      if (!nodes.has(neighbour.id) && nodes.size >= most) truncated = true;
      else {
        if (!nodes.has(neighbour.id)) nodes.set(neighbour.id, neighbour);
        edges.push(direction === 'upstream' ? { from: neighbour.id, to: node.id } : { from: node.id, to: neighbour.id });
      }
    }
  }
  return { nodes: [...nodes.values()], edges, truncated };
};

/** Two walks from one thing as one graph. */
export const joinGraphs = (first: LineageGraph, second: LineageGraph): LineageGraph => {
  const nodes = new Map([...first.nodes, ...second.nodes].map((node) => [node.id, node]));
  const edges = new Map([...first.edges, ...second.edges].map((edge) => [`${edge.from}\n${edge.to}`, edge]));
  return { nodes: [...nodes.values()], edges: [...edges.values()], truncated: first.truncated || second.truncated };
};
