/** Lineage: from raw bytes to the answer of a model, both ways. */
import { z } from 'zod';
import { joinGraphs, LINEAGE_KINDS, walkLineage, type LineageGraph } from '../../domain/lineage.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { problems } from '../http/schemas.ts';
import { downstream, upstream } from './neighbours.ts';
import { lineageRows } from './nodes.ts';
import { originOf } from './origin.ts';

const LineageQuery = z.strictObject({
  of: z.string().min(3).max(400).describe('file:<sha256>, dataset:<name>@<version>, featureSet:<name>@<version>, pipeline:<name>@<version>, run:<run id>, model:<name>@<version or alias>, deployment:<model>@<generation> or inference:<model>/<inference id>'),
  direction: z.enum(['both', 'upstream', 'downstream']).default('both'),
  limit: z.coerce.number().int().min(1).max(2_000).default(500).describe('Nodes in each direction.'),
});

const Node = z.object({
  id: z.string(),
  kind: z.enum(LINEAGE_KINDS),
  name: z.string(),
  version: z.string().describe('Empty for files, runs and inferences.'),
  at: z.string().nullable(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});
const Graph = z.object({
  of: z.string().describe('The id that was asked for, in full.'),
  nodes: z.array(Node),
  edges: z.array(z.object({ from: z.string().describe('What was used.'), to: z.string().describe('What was made of it.') })),
  truncated: z.boolean().describe('There is more than limit.'),
});

const nothing: LineageGraph = { nodes: [], edges: [], truncated: false };

const readLineage = async (context: ApiContext, { of, direction, limit }: z.infer<typeof LineageQuery>): Promise<z.infer<typeof Graph>> => {
  const origin = await originOf(context, of);
  const rows = lineageRows(context.database);
  const [up, down] = [upstream(context.database, rows), downstream(rows)];
  const before = direction === 'downstream' ? nothing : await walkLineage(origin, { direction: 'upstream', neighboursOf: (node) => up[node.kind](node), most: limit });
  const after = direction === 'upstream' ? nothing : await walkLineage(origin, { direction: 'downstream', neighboursOf: (node) => down[node.kind](node), most: limit });
  return { of: origin.id, ...joinGraphs(before, after) };
};

export const registerLineageRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/lineage',
    config: { policy: 'read' },
    schema: { tags: ['lineage'], summary: 'What a thing was made of, and what was made of it', querystring: LineageQuery, response: { 200: Graph, ...problems(404) } },
    handler: (request) => readLineage(context, request.query),
  });
};
