/** The API as a Fastify app: guard, errors, documentation and routes. It listens nowhere, so tests call it directly. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { LogController } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { PerennialFailure } from '../domain/failure.ts';
import { registerTracking } from './mlflow/plugin.ts';
import { registerAlertRoutes } from './alerts/routes.ts';
import { registerSilenceRoutes } from './alerts/silences.ts';
import { registerConsolePages } from './console/pages.ts';
import { registerOverviewRoute } from './console/overview.ts';
import { registerSessionRoutes } from './console/session.ts';
import { registerDatasetFileRoutes } from './datasets/files.ts';
import { registerDatasetRoutes } from './datasets/routes.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { ApiContext, App } from './http/app-types.ts';
import { failureOf, sendProblem } from './http/errors.ts';
import { DOCUMENTATION_PREFIX, installGuard } from './http/guard.ts';
import { createIdempotency } from './http/idempotency.ts';
import { boundBodies } from './http/slow-bodies.ts';
import { uuidv7 } from './http/unique.ts';
import { validatorCompiler } from './http/validation.ts';
import { createKeyStore } from './keys/key-store.ts';
import { registerKeyRoutes } from './keys/routes.ts';
import { registerAliasMoves } from './models/aliases.ts';
import { registerCardRoute } from './lineage/card.ts';
import { registerReproduceRoute } from './lineage/reproduce.ts';
import { registerLineageRoutes } from './lineage/routes.ts';
import { registerCostRoutes } from './models/costs.ts';
import { registerLabelRoutes } from './models/labels.ts';
import { registerMonitorRoutes } from './models/monitor.ts';
import { registerReportRoutes } from './models/report.ts';
import { registerModelRoutes } from './models/routes.ts';
import { createPipelineStore } from './pipelines/pipeline-store.ts';
import { registerReplayRoute } from './pipelines/replay-decisions.ts';
import { registerPipelineRoutes } from './pipelines/routes.ts';
import { registerDeploymentRoutes } from './rollouts/deployment.ts';
import { registerDeploymentHistory } from './rollouts/history.ts';
import { registerRollbackRoutes } from './rollouts/rollback.ts';
import { registerRolloutRoutes } from './rollouts/routes.ts';
import { registerRunActions } from './runs/actions.ts';
import { registerRunEvents } from './runs/events.ts';
import { createLiveRuns } from './runs/live-runs.ts';
import { registerRunRoutes } from './runs/routes.ts';
import { registerTrialRoutes } from './runs/trials.ts';
import { registerScheduleRoutes } from './schedules/routes.ts';
import { registerAuditRoute } from './system/audit-trail.ts';
import { measure, type ApiMetrics } from './system/metrics.ts';
import { registerRecordMetrics } from './system/record-metrics.ts';
import { registerSystemRoutes } from './system/routes.ts';
import { createWorkerPools } from './system/worker-pools.ts';
import { createTemporalCalls } from './temporal/calls.ts';
import { registerTriggerRoutes } from './triggers/routes.ts';

const BODY_LIMIT = 1_048_576;
/** Bound of a request as a whole; only bodies that are streams may take longer than slow-bodies.ts allows. */
const REQUEST_MS = 6 * 60 * 60_000;
/** A run id is a name of at most 128 characters and a unique part. */
const MOST_PARAMETER_CHARACTERS = 300;

const contextOf = (dependencies: ApiDependencies): ApiContext => {
  const { database, client } = dependencies;
  const temporalCalls = createTemporalCalls(client);
  return {
    ...dependencies,
    temporalCalls,
    idempotency: createIdempotency(database),
    keys: createKeyStore(database),
    pipelines: createPipelineStore(database),
    pools: createWorkerPools(database),
    liveRuns: createLiveRuns(temporalCalls),
  };
};

const createInstance = ({ logger, isDatabaseOutage }: ApiDependencies): App => {
  const app = fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    routerOptions: { maxParamLength: MOST_PARAMETER_CHARACTERS },
    genReqId: () => uuidv7(),
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    frameworkErrors: (error, _request, reply) => sendProblem(reply, failureOf(error, isDatabaseOutage)),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // Answers are typed by their schemas when they are built; checking them again would cost more than it could find.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  return app as App;
};

const installErrors = (app: App, { isDatabaseOutage }: ApiDependencies): void => {
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error, isDatabaseOutage);
    if (failure.code === 'Internal') request.log.error({ err: failure.cause ?? error }, 'a request ended in an unexpected error');
    else if (failure.retryable) request.log.warn({ err: failure.cause, code: failure.code }, failure.message);
    return sendProblem(reply, failure);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, new PerennialFailure('RouteNotFound', `there is no route ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}`)));
};

/** One line per request that changed something or failed; reads are polled too often to be worth a line. */
const installRequestLog = (app: App): void => {
  app.addHook('onSend', async (request, reply) => {
    void reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' });
  });
  app.addHook('onResponse', async (request, reply) => {
    const level = request.method !== 'GET' || reply.statusCode >= 500 ? 'info' : 'debug';
    const route = request.routeOptions.url;
    request.log[level]({ method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime), key: request.principal?.name }, 'request');
  });
};

const installDocumentation = async (app: App): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Perennial', version: '1', description: 'Durable workflows that carry a machine-learning model through its whole life.' },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: perennial_ and 43 characters.' } } },
      security: [{ apiKey: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: DOCUMENTATION_PREFIX, staticCSP: true, uiConfig: { url: '/openapi.json' } });
  app.route({ method: 'GET', url: '/openapi.json', config: { policy: 'open' }, schema: { hide: true }, handler: async () => app.swagger() });
};

const registerRoutes = async (app: App, context: ApiContext, metrics: ApiMetrics): Promise<void> => {
  registerSystemRoutes(app, context, metrics);
  await registerPipelineRoutes(app, context);
  registerReplayRoute(app, context);
  registerRunRoutes(app, context);
  registerTrialRoutes(app, context);
  registerRunActions(app, context);
  registerRunEvents(app, context);
  registerModelRoutes(app, context);
  registerAliasMoves(app, context);
  registerDatasetRoutes(app, context);
  registerDatasetFileRoutes(app, context);
  registerLineageRoutes(app, context);
  registerCardRoute(app, context);
  registerReproduceRoute(app, context);
  registerDeploymentRoutes(app, context);
  registerDeploymentHistory(app, context);
  registerRolloutRoutes(app, context);
  registerRollbackRoutes(app, context);
  registerLabelRoutes(app, context);
  registerMonitorRoutes(app, context);
  registerAlertRoutes(app, context);
  registerSilenceRoutes(app, context);
  registerReportRoutes(app, context);
  registerCostRoutes(app, context);
  registerScheduleRoutes(app, context);
  await registerTriggerRoutes(app, context);
  registerKeyRoutes(app, context);
  await registerTracking(app, context);
  registerAuditRoute(app, context);
  registerOverviewRoute(app, context);
  registerSessionRoutes(app, context);
  registerConsolePages(app, context.consoleFiles);
};

/** Builds the app; `listen` and `close` are the caller's. */
export const createApp = async (dependencies: ApiDependencies): Promise<App> => {
  const context = contextOf(dependencies);
  const app = createInstance(dependencies);
  const registry = dependencies.createRegistry();
  const metrics = measure(app as never, registry);
  registerRecordMetrics(registry, context);
  installErrors(app, dependencies);
  installGuard(app as never, context.keys);
  boundBodies(app as never);
  if (dependencies.onRoute !== undefined) app.addHook('onRoute', dependencies.onRoute);
  installRequestLog(app);
  await installDocumentation(app);
  await registerRoutes(app, context, metrics);
  return app;
};
