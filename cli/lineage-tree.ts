/** A lineage as lines of text: a tree in each direction; a thing that was shown already is not unfolded again. */
export type LineageNode = { id: string; kind: string; at: string | null; facts: Record<string, string | number | null> };
export type Lineage = { of: string; nodes: LineageNode[]; edges: { from: string; to: string }[]; truncated: boolean };

const HASH_SHOWN = 12;

/** Hashes are long and say the same by their beginning. */
const short = (text: string): string => text.replace(/[0-9a-f]{64}/g, (hash) => hash.slice(0, HASH_SHOWN));

const lineOf = ({ id, at, facts }: LineageNode): string => {
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== '');
  return [short(id), ...(at === null ? [] : [at]), ...known.map(([name, value]) => `${name} ${short(String(value))}`)].join('  ');
};

const neighbours = ({ nodes, edges }: Lineage, direction: 'upstream' | 'downstream'): Map<string, LineageNode[]> => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<string, LineageNode[]>();
  for (const { from, to } of edges) {
    const [near, far] = direction === 'upstream' ? [to, byId.get(from)] : [from, byId.get(to)];
    if (far !== undefined) found.set(near, [...(found.get(near) ?? []), far]);
  }
  return found;
};

/** Lines of one direction, without the thing itself; none where there is nothing. */
export const lineageLines = (lineage: Lineage, direction: 'upstream' | 'downstream'): string[] => {
  const next = neighbours(lineage, direction);
  const seen = new Set<string>();
  const unfold = (id: string, depth: number): string[] =>
    (next.get(id) ?? []).flatMap((node) => {
      const indent = '  '.repeat(depth);
      if (seen.has(node.id)) return [`${indent}${short(node.id)}  (see above)`];
      seen.add(node.id);
      return [`${indent}${lineOf(node)}`, ...unfold(node.id, depth + 1)];
    });
  return unfold(lineage.of, 1);
};

/** The thing itself. */
export const originLine = (lineage: Lineage): string => {
  const origin = lineage.nodes.find(({ id }) => id === lineage.of);
  return origin === undefined ? short(lineage.of) : lineOf(origin);
};
