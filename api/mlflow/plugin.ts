/** Everything that MLflow's clients speak to: one scope with errors in their form. */
import { FAILURES } from '../../contracts/failures.ts';
import { TrackingRefusal } from '../../domain/tracking/refusal.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { registerArtifactRoutes } from './artifacts.ts';
import { registerAliasRoutes } from './aliases.ts';
import { installTrackingErrors } from './errors.ts';
import { registerExperimentRoutes } from './experiments.ts';
import { registerLoggedModelRoutes } from './logged-models.ts';
import { registerModelVersionRoutes } from './model-versions.ts';
import { registerRegisteredModelRoutes } from './registered-models.ts';
import { createReplays, installReplays } from './replays.ts';
import { registerRunLoggingRoutes } from './run-logging.ts';
import { registerRunRoutes } from './runs.ts';
import { registerServerRoutes } from './server-info.ts';

const PREFIXES = ['/api/2.0/mlflow', '/api/2.0/mlflow-artifacts', '/api/3.0/mlflow', '/ajax-api'];

/** A path of the protocol that is not here. A client reads from the code that it must do without. */
const registerUnknown = (app: App): void => {
  for (const prefix of PREFIXES) {
    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: `${prefix}/*`,
      config: { policy: 'read' },
      schema: { hide: true },
      handler: async (request) => {
        throw new TrackingRefusal('ENDPOINT_NOT_FOUND', `${FAILURES.RouteNotFound.title}: ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}`);
      },
    });
  }
};

export const registerTracking = async (app: App, context: ApiContext): Promise<void> => {
  await app.register(async (given) => {
    const scope = given as unknown as App;
    installTrackingErrors(scope as never, context);
    installReplays(scope as never);
    const replays = createReplays(context);
    registerServerRoutes(scope);
    registerExperimentRoutes(scope, context, replays);
    registerRunRoutes(scope, context, replays);
    registerRunLoggingRoutes(scope, context);
    registerLoggedModelRoutes(scope, context, replays);
    registerRegisteredModelRoutes(scope, context, replays);
    registerModelVersionRoutes(scope, context, replays);
    registerAliasRoutes(scope, context);
    await registerArtifactRoutes(scope, context);
    registerUnknown(scope);
  });
};
