/** Artifacts by path, proxied: bytes stream between the client and the artifact store, and are never held whole. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { deleteArtifacts, findArtifact, listArtifacts, setArtifact, type Entry } from '../../adapters/postgres/tracking/artifact-paths.ts';
import { artifactPath, OWN_FOLDER, pathOfUri } from '../../domain/tracking/artifact-path.ts';
import { invalidValue, notFound, TrackingRefusal } from '../../domain/tracking/refusal.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { boundSilence } from '../http/slow-bodies.ts';
import { readArtifactUri } from '../../adapters/postgres/tracking/runs.ts';
import { mlflowRoute } from './route.ts';
import { optional, RunIdFields, runIdOf, Text } from './wire.ts';

const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
/** An upload that stops for this long is given up. */
const IDLE_MS = 60_000;

const PathParams = z.object({ '*': z.string().describe('The path of the artifact.') });
const tags = ['mlflow artifacts'];

const fileOf = (folder: string, { name, bytes }: Entry) => ({ path: folder === '' ? name : `${folder}/${name}`, is_dir: bytes === null, ...(bytes === null ? {} : { file_size: bytes }) });

const pathToWrite = (given: string): string => {
  const path = artifactPath(given);
  if (path === '') throw invalidValue('Invalid path: it is empty');
  if (path.split('/', 1)[0] === OWN_FOLDER) throw new TrackingRefusal('PERMISSION_DENIED', `The folder ${OWN_FOLDER}/ holds the models of pipelines, which only they write.`);
  return path;
};

const registerPut = (app: App, { database, artifacts }: ApiContext): void => {
  app.route({
    method: 'PUT',
    url: `${ARTIFACTS}/*`,
    config: { policy: 'tracking:write', streams: true },
    schema: { tags, summary: 'Stores the body under a path', params: PathParams },
    handler: async (request, reply) => {
      const path = pathToWrite(request.params['*']);
      // Without a body, Fastify parses none: an empty file.
      const body = (request.body as Readable | null | undefined) ?? Readable.from([]);
      await setArtifact(database, path, await artifacts.putStream(boundSilence(body, IDLE_MS)));
      return reply.code(200).type('application/json').send('{}');
    },
  });
};

const registerGet = (app: App, { database, artifacts }: ApiContext): void => {
  app.route({
    method: 'GET',
    url: `${ARTIFACTS}/*`,
    config: { policy: 'read' },
    schema: { tags, summary: 'The bytes at a path', params: PathParams },
    handler: async (request, reply) => {
      const path = artifactPath(request.params['*']);
      const artifact = await findArtifact(database, path);
      if (artifact === undefined) throw notFound(`No such artifact: '${path}'`);
      const name = path.split('/').at(-1) ?? '';
      // Never shown by a browser as a page of this server.
      const headers = { 'content-length': artifact.bytes, 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`, 'content-type': 'application/octet-stream' };
      return reply.headers(headers).send(Readable.from(await artifacts.stream(artifact), { objectMode: false }));
    },
  });
};

const registerListAndDelete = (app: App, { database }: ApiContext): void => {
  app.route({
    method: 'GET',
    url: ARTIFACTS,
    config: { policy: 'read' },
    schema: { tags, summary: 'What lies in a folder', querystring: z.object({ path: optional(Text) }) },
    handler: async (request) => {
      const files = (await listArtifacts(database, artifactPath(request.query.path ?? ''))).map((entry) => fileOf('', entry));
      return files.length === 0 ? {} : { files };
    },
  });
  app.route({
    method: 'DELETE',
    url: `${ARTIFACTS}/*`,
    config: { policy: 'tracking:write' },
    schema: { tags, summary: 'Deletes a file, or a folder with all that is in it', params: PathParams },
    handler: async (request) => {
      await deleteArtifacts(database, pathToWrite(request.params['*']));
      return {};
    },
  });
};

/** The artifacts of a run, wherever its experiment keeps them; empty for a store that is not ours. */
const registerListOfRun = (app: App, { database }: ApiContext): void => {
  const Query = z.object({ ...RunIdFields, path: optional(Text) });
  mlflowRoute(app, 'artifacts', 'GET', 'read')('artifacts/list', { querystring: Query, summary: 'Artifacts of a run' }, async ({ query }) => {
    const uri = await readArtifactUri(database, runIdOf(query));
    const [root, inside] = [pathOfUri(uri), artifactPath(query.path ?? '')];
    const entries = root === undefined ? [] : await listArtifacts(database, inside === '' ? root : `${root}/${inside}`);
    return { root_uri: uri, ...(entries.length === 0 ? {} : { files: entries.map((entry) => fileOf(inside, entry)) }) };
  });
};

/** In a scope of its own: bodies of any type are streams here. */
export const registerArtifactRoutes = async (app: App, context: ApiContext): Promise<void> => {
  registerListOfRun(app, context);
  await app.register(async (given) => {
    const scope = given as unknown as App;
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    registerPut(scope, context);
    registerGet(scope, context);
    registerListAndDelete(scope, context);
  });
};
