import { describe, expect, it } from 'vitest';
import { joinGraphs, lineageId, parseLineageId, walkLineage, type LineageNode } from '../../../domain/lineage.ts';
import { lineageLines } from '../../../cli/lineage-tree.ts';

const node = (name: string): LineageNode => ({ id: `run:${name}`, kind: 'run', name, version: '', at: null, facts: {} });

describe('an id', () => {
  it.each(['file:abc', 'dataset:flights@0123abcd', 'model:a@b@3', 'run:flights.0190', 'inference:flights/x-1/0', 'deployment:flights@12'])('%s is read as it is written', (id) => {
    expect(lineageId(parseLineageId(id))).toBe(id);
  });

  it.each(['', 'flights', 'model:flights', 'model:flights@', 'model:@3', 'planet:earth@1'])('"%s" is refused with what it should be', (id) => {
    expect(() => parseLineageId(id)).toThrow(/name it file:<sha256>/);
  });
});

describe('a walk', () => {
  const made: Record<string, string[]> = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] };
  const neighboursOf = async ({ name }: LineageNode) => (made[name] ?? []).map(node);

  it('finds each thing once and each use of it', async () => {
    const { nodes, edges, truncated } = await walkLineage(node('a'), { direction: 'downstream', neighboursOf, most: 10 });
    expect(nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(edges.map(({ from, to }) => `${from} ${to}`)).toEqual(['run:a run:b', 'run:a run:c', 'run:b run:d', 'run:c run:d']);
    expect(truncated).toBe(false);
  });

  it('ends at its limit, and says so', async () => {
    const graph = await walkLineage(node('a'), { direction: 'upstream', neighboursOf, most: 3 });
    expect(graph.nodes.length).toBe(3);
    expect(graph.truncated).toBe(true);
    expect(graph.edges).toContainEqual({ from: 'run:b', to: 'run:a' });
  });

  it('both ways is one graph', async () => {
    const down = await walkLineage(node('b'), { direction: 'downstream', neighboursOf, most: 10 });
    const joined = joinGraphs(down, down);
    expect(joined).toEqual(down);
  });

  it('is shown as a tree that unfolds each thing once', async () => {
    const { nodes, edges } = await walkLineage(node('a'), { direction: 'downstream', neighboursOf, most: 10 });
    expect(lineageLines({ of: 'run:a', nodes, edges, truncated: false }, 'downstream')).toEqual(['  run:b', '    run:d', '  run:c', '    run:d  (see above)']);
  });
});
