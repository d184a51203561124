/** The HTTP server of the gateway: bare node:http, because a framework costs more here than the model. */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { PerennialFailure } from '../domain/failure.ts';
import type { Access } from './access.ts';
import type { AnswerBody } from './answer-text.ts';
import type { DeploymentLookup } from './deployment-lookup.ts';
import type { DeploymentTable } from './deployment-table.ts';
import { sendAnswer, sendFailure, sendJson, sendText } from './http-answers.ts';
import { readTextAndBinary } from './http-body.ts';
import { csvForm, rowForm, v2Form, type HttpContent } from './http-forms.ts';
import { serveRepositoryChange, serveRepositoryIndex } from './http-repository.ts';
import { methodsOf, routeOf, type Route } from './http-routes.ts';
import type { InferenceForm, InferenceRequest, InferenceService } from './inference-service.ts';
import { countFailure, type Metrics } from './metrics.ts';
import type { RepositoryParts } from './model-repository.ts';
import { isModelReady, modelMetadata, serverMetadata } from './model-state.ts';
import { modelStatistics } from './statistics.ts';

const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** Longer than the idle time of usual load balancers, so that it is not the server that closes under a request. */
const KEEP_ALIVE_MS = 75_000;
const CHECK_MS = 2_000;

export type Readiness = { ready: boolean; degraded?: string };

export type ServerParts = {
  infer: InferenceService;
  access: Access;
  table: DeploymentTable;
  lookup: Pick<DeploymentLookup, 'find' | 'now'>;
  metrics: Metrics;
  wanted: RepositoryParts['wanted'];
  readiness: () => Readiness;
  build: string;
  log: Logger;
};

type ModelRoute = Extract<Route, { model: string }>;

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
};

type InferenceTarget = Pick<InferenceRequest<AnswerBody>, 'model' | 'version'> & { formOf: (content: HttpContent) => InferenceForm<AnswerBody> };

const serveInference = async (parts: ServerParts, { formOf, ...place }: InferenceTarget, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const form = formOf(await readTextAndBinary(request));
    sendAnswer(response, await parts.infer({ form, ...place, requestId: header(request, 'x-request-id'), key: header(request, 'x-perennial-key') }));
  } catch (error) {
    if (!(error instanceof PerennialFailure)) parts.log.error({ err: error }, 'an inference failed unexpectedly');
    countFailure(parts, { model: place.model, status: sendFailure(response, error) });
  }
};

const v1Form = (content: HttpContent): InferenceForm<AnswerBody> => rowForm('v1', content);

/** CSV where the client says so, otherwise JSON, whatever it says: many clients say nothing. */
const invocationsForm = (request: IncomingMessage) => (content: HttpContent): InferenceForm<AnswerBody> => {
  const type = header(request, 'content-type')?.toLowerCase() ?? '';
  return /^\s*text\/csv\s*(?:;|$)/.test(type) ? csvForm(content, { hasHeader: !/;\s*header\s*=\s*"?absent/.test(type) }) : rowForm('invocations', content);
};

/** /invocations names no model: it is the one in the header, or the only one here. */
const onlyModel = ({ table }: ServerParts, request: IncomingMessage): string => {
  const named = header(request, 'x-perennial-model');
  const [only, ...others] = table.all();
  if (named !== undefined) return named;
  if (only === undefined) throw new PerennialFailure('ModelUnavailable', 'No model is deployed at this gateway yet.');
  if (others.length > 0) throw new PerennialFailure('InferenceInvalid', `This gateway serves ${others.length + 1} models: name one in the header x-perennial-model, or use /v1/models/{model}:predict.`);
  return only.snapshot.model;
};

const serveReadiness = ({ lookup }: ServerParts, place: ModelRoute, response: ServerResponse): void => {
  const isReady = isModelReady(lookup, place);
  sendJson(response, isReady ? 200 : 503, { name: place.model, ready: isReady });
};

const serve = async (parts: ServerParts, route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  switch (route.kind) {
    case 'infer':
      return serveInference(parts, { formOf: v2Form, model: route.model, version: route.version }, request, response);
    case 'predict':
      return serveInference(parts, { formOf: v1Form, model: route.model, version: route.version }, request, response);
    case 'invocations':
      return serveInference(parts, { formOf: invocationsForm(request), model: onlyModel(parts, request), version: undefined }, request, response);
    case 'model':
      return sendJson(response, 200, await modelMetadata(parts.lookup, route));
    case 'modelReady':
      return serveReadiness(parts, route, response);
    case 'statistics':
      return sendJson(response, 200, await modelStatistics(parts, route));
    case 'allStatistics':
      return sendJson(response, 200, await modelStatistics(parts, undefined));
    case 'repositoryIndex':
      return serveRepositoryIndex(parts, request, response);
    case 'load':
    case 'unload':
      return serveRepositoryChange(parts, { action: route.kind, model: route.model }, { request, response });
    case 'live':
      return sendJson(response, 200, { live: true });
    case 'ready': {
      const readiness = parts.readiness();
      return sendJson(response, readiness.ready ? 200 : 503, readiness);
    }
    case 'metrics':
      return sendText(response, 200, { text: await parts.metrics.text(), headers: ['content-type', parts.metrics.contentType] });
    case 'version':
      return sendText(response, 200, { text: parts.build, headers: ['content-type', 'text/plain'] });
    case 'server':
      return sendJson(response, 200, serverMetadata(parts.build));
    case 'models':
      return sendJson(response, 200, { models: parts.table.all().map(({ snapshot }) => snapshot.model) });
  }
};

const handle = async (parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const route = routeOf(request.url ?? '/');
    if (route.permission !== null) {
      if (!parts.access.isKnown()) await parts.access.known();
      parts.access.check(request.headers.authorization, route.permission);
    }
    const methods = methodsOf(route);
    if (!methods.includes(request.method ?? '')) {
      return sendText(response, 405, { text: JSON.stringify({ error: `This route takes ${methods.join(', ')}.` }), headers: ['content-type', 'application/json', 'allow', methods.join(', '), 'x-perennial-error', 'RouteNotFound'] });
    }
    await serve(parts, route, request, response);
  } catch (error) {
    if (!(error instanceof PerennialFailure)) parts.log.error({ err: error }, 'a request failed unexpectedly');
    sendFailure(response, error);
  }
};

/** What cannot be read as HTTP, or comes too slowly, gets a short answer in the same form and loses its connection. */
const refuseConnection = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const body = JSON.stringify({ error: `The request cannot be read: ${STATUS_CODES[status]}.` });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
};

/** Makes the server; it does not listen yet. */
export const createGatewayServer = (parts: ServerParts): Server => {
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS, connectionsCheckingInterval: CHECK_MS, noDelay: true }, (request, response) => {
    void handle(parts, request, response);
  });
  server.on('clientError', refuseConnection);
  return server;
};
