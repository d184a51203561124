/** Paths of the gateway. Names and versions are checked here: what does not fit the pattern is not there. */
import { PerennialFailure } from '../domain/failure.ts';
import type { GatewayPermission } from './access.ts';
import { modelNameOf, versionOf } from './model-place.ts';

export type Route =
  | { kind: 'live' | 'ready' | 'version' | 'metrics' | 'server' | 'models' | 'invocations' | 'repositoryIndex' | 'allStatistics'; permission: GatewayPermission | null }
  | { kind: 'infer' | 'predict' | 'model' | 'modelReady' | 'statistics' | 'load' | 'unload'; permission: GatewayPermission; model: string; version: number | undefined };

/** Health and metrics are open; everything else needs a key. */
const FIXED: Record<string, Route> = {
  '/healthz': { kind: 'live', permission: null },
  '/readyz': { kind: 'ready', permission: null },
  '/metrics': { kind: 'metrics', permission: null },
  '/v2/health/live': { kind: 'live', permission: null },
  '/v2/health/ready': { kind: 'ready', permission: null },
  '/v2': { kind: 'server', permission: 'read' },
  '/v2/models/stats': { kind: 'allStatistics', permission: 'read' },
  '/v2/repository/index': { kind: 'repositoryIndex', permission: 'read' },
  '/v2/models': { kind: 'models', permission: 'read' },
  '/v1/models': { kind: 'models', permission: 'read' },
  // The scoring contract of MLflow's and SageMaker's containers.
  '/ping': { kind: 'ready', permission: null },
  '/health': { kind: 'ready', permission: null },
  '/version': { kind: 'version', permission: null },
  '/invocations': { kind: 'invocations', permission: 'infer' },
};

const notFound = (): never => {
  throw new PerennialFailure('RouteNotFound', 'There is no such route at the gateway.', { fix: 'See the Open Inference Protocol V2: /v2/models/{model}/infer, or V1: /v1/models/{model}:predict' });
};

const modelRoute = (name: string, rest: readonly string[]): Route => {
  const isVersioned = rest[0] === 'versions' && rest[1] !== undefined;
  const tail = (isVersioned ? rest.slice(2) : rest).join('/');
  const model = modelNameOf(name);
  const version = isVersioned ? versionOf(rest[1] ?? '') : undefined;
  if (tail === 'infer') return { kind: 'infer', permission: 'infer', model, version };
  if (tail === '') return { kind: 'model', permission: 'read', model, version };
  if (tail === 'stats') return { kind: 'statistics', permission: 'read', model, version };
  if (tail === 'ready') return { kind: 'modelReady', permission: 'read', model, version };
  return notFound();
};

/** `/v1/models/{model}[/versions/{version}][:predict]`: KServe's V1, TensorFlow Serving's REST. */
const rowRoute = (parts: readonly string[]): Route => {
  const last = parts.at(-1) ?? '';
  const isPredict = last.endsWith(':predict');
  const [name = '', versions, version, ...rest] = isPredict ? [...parts.slice(0, -1), last.slice(0, -':predict'.length)] : parts;
  if (rest.length > 0 || (versions !== undefined && (versions !== 'versions' || version === undefined))) return notFound();
  const place = { model: modelNameOf(name), version: version === undefined ? undefined : versionOf(version) };
  return isPredict ? { kind: 'predict', permission: 'infer', ...place } : { kind: 'modelReady', permission: 'read', ...place };
};

/** `/v2/repository/models/{model}/load` and `unload`. */
const repositoryRoute = ([models, name, action, ...rest]: readonly string[]): Route => {
  if (models !== 'models' || name === undefined || rest.length > 0 || (action !== 'load' && action !== 'unload')) return notFound();
  return { kind: action, permission: 'read', model: modelNameOf(name), version: undefined };
};

const METHODS: Record<Route['kind'], readonly string[]> = {
  infer: ['POST'],
  predict: ['POST'],
  invocations: ['POST'],
  repositoryIndex: ['POST'],
  load: ['POST'],
  unload: ['POST'],
  statistics: ['GET', 'HEAD'],
  allStatistics: ['GET', 'HEAD'],
  live: ['GET', 'HEAD'],
  ready: ['GET', 'HEAD'],
  version: ['GET', 'HEAD'],
  metrics: ['GET', 'HEAD'],
  server: ['GET', 'HEAD'],
  models: ['GET', 'HEAD'],
  model: ['GET', 'HEAD'],
  modelReady: ['GET', 'HEAD'],
};

/** The methods that a route takes. */
export const methodsOf = (route: Route): readonly string[] => METHODS[route.kind];

/**
 * Finds the route of a request target.
 * @throws PerennialFailure RouteNotFound, ModelNotFound or ModelVersionNotFound
 */
export const routeOf = (url: string): Route => {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (Object.hasOwn(FIXED, path)) return FIXED[path] as Route;
  const [root, protocol, models, model, ...rest] = path.split('/');
  if (root === '' && protocol === 'v2' && models === 'repository') return repositoryRoute(path.split('/').slice(3));
  if (root !== '' || models !== 'models' || model === undefined) return notFound();
  if (protocol === 'v1') return rowRoute([model, ...rest]);
  if (protocol !== 'v2' || rest.length > 3) return notFound();
  return modelRoute(model, rest);
};
