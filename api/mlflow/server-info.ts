/** What clients ask about the server itself. */
import type { App } from '../http/app-types.ts';

/** The version of MLflow whose protocol this is. */
const PROTOCOL_VERSION = '3.17.2';

const INFO = {
  store_type: 'SqlStore',
  workspaces_enabled: false,
  multipart_uploads_enabled: false,
  multipart_downloads_enabled: false,
  trace_archival_enabled: false,
};

export const registerServerRoutes = (app: App): void => {
  const tags = ['mlflow server'];
  app.route({ method: 'GET', url: '/health', config: { policy: 'open' }, schema: { tags, summary: 'OK while the server runs' }, handler: async (_request, reply) => reply.type('text/plain').send('OK') });
  app.route({ method: 'GET', url: '/version', config: { policy: 'read' }, schema: { tags, summary: 'The version of MLflow whose protocol is spoken' }, handler: async (_request, reply) => reply.type('text/plain').send(PROTOCOL_VERSION) });
  app.route({ method: 'GET', url: '/api/3.0/mlflow/server-info', config: { policy: 'read' }, schema: { tags, summary: 'What this server can do' }, handler: async () => INFO });
};
