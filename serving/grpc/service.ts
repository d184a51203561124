/** The methods of the Open Inference Protocol V2 over gRPC: thin, because what they do is the same as over HTTP. */
import { Metadata, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { PerennialFailure } from '../../domain/failure.ts';
import type { GatewayPermission } from '../access.ts';
import type { InferenceService } from '../inference-service.ts';
import { countFailure, type Metrics } from '../metrics.ts';
import { modelNameOf, versionOf, type ModelPlace } from '../model-place.ts';
import { confirmLoaded, refuseUnload, repositoryIndex, type RepositoryParts } from '../model-repository.ts';
import { isModelReady, modelMetadata, serverMetadata } from '../model-state.ts';
import { modelStatistics } from '../statistics.ts';
import type { MethodPermissions } from './guard.ts';
import { inferForm } from './infer-form.ts';
import { readInferRequest } from './infer-request.ts';
import { codecOf, methodPath, type SmallRequest } from './messages.ts';
import { grpcFailure } from './statuses.ts';

export type ServiceParts = RepositoryParts & {
  infer: InferenceService;
  metrics: Metrics;
  readiness: () => { ready: boolean };
  build: string;
  log: Logger;
};

type Call = ServerUnaryCall<Buffer, Buffer>;
type Method = { permission: GatewayPermission | null; handle: handleUnaryCall<Buffer, Buffer> };

const placeOf = ({ name, version }: SmallRequest): ModelPlace => ({ model: modelNameOf(String(name)), version: version === '' ? undefined : versionOf(String(version)) });

type Answer = (call: Call) => Promise<Buffer>;

const methodOf = (log: Logger, permission: GatewayPermission | null, answer: Answer): Method => ({
  permission,
  handle: (call: Call, callback: sendUnaryData<Buffer>): void => {
    answer(call).then(
      (bytes) => callback(null, bytes),
      (error: unknown) => {
        if (!(error instanceof PerennialFailure)) log.error({ err: error }, 'a call failed unexpectedly');
        callback(grpcFailure(error).sent);
      },
    );
  },
});

/** What answers a method with small messages. */
const small = (name: string, answer: (request: SmallRequest) => object | Promise<object>): Answer => {
  const codec = codecOf(name);
  return async ({ request }) => codec.write(await answer(codec.read(request)));
};

const headerOf = (call: Call, name: string): string | undefined => {
  const [value] = call.metadata.get(name);
  return typeof value === 'string' ? value : undefined;
};

const infer = async (parts: ServiceParts, call: Call): Promise<Buffer> => {
  let model = '';
  try {
    const message = readInferRequest(call.request);
    model = modelNameOf(message.model);
    const version = message.version === '' ? undefined : versionOf(message.version);
    const answer = await parts.infer({ form: inferForm(message), model, version, requestId: headerOf(call, 'x-request-id'), key: headerOf(call, 'x-perennial-key') });
    const metadata = new Metadata();
    metadata.set('x-request-id', answer.id);
    metadata.set('x-perennial-role', answer.role);
    metadata.set('x-perennial-version', answer.version);
    call.sendMetadata(metadata);
    return answer.body;
  } catch (error) {
    countFailure(parts, { model, status: grpcFailure(error).httpStatus });
    throw error;
  }
};

const methodsOf = (parts: ServiceParts): Record<string, Method> => {
  const { lookup, log } = parts;
  const method = (permission: GatewayPermission | null, answer: Answer): Method => methodOf(log, permission, answer);
  return {
    ServerLive: method(null, small('ServerLive', () => ({ live: true }))),
    ServerReady: method(null, small('ServerReady', () => ({ ready: parts.readiness().ready }))),
    ServerMetadata: method('read', small('ServerMetadata', () => serverMetadata(parts.build))),
    ModelReady: method('read', small('ModelReady', (request) => ({ ready: isModelReady(lookup, placeOf(request)) }))),
    ModelMetadata: method('read', small('ModelMetadata', (request) => modelMetadata(lookup, placeOf(request)))),
    ModelStatistics: method('read', small('ModelStatistics', (request) => modelStatistics(parts, request['name'] === '' ? undefined : placeOf(request)))),
    RepositoryIndex: method('read', small('RepositoryIndex', ({ ready }) => ({ models: repositoryIndex(parts, { isReadyOnly: ready === true }) }))),
    RepositoryModelLoad: method('read', small('RepositoryModelLoad', async (request) => {
      await confirmLoaded(parts, modelNameOf(String(request['model_name'])), { hasParameters: request['parameters'] === true });
      return {};
    })),
    RepositoryModelUnload: method('read', small('RepositoryModelUnload', (request) => refuseUnload(parts, modelNameOf(String(request['model_name']))))),
    ModelInfer: method('infer', (call) => infer(parts, call)),
  };
};

const identity = (bytes: Buffer): Buffer => bytes;

/** The service as gRPC takes it. Messages pass as bytes, so that one that cannot be read is refused in our words. */
export const createService = (parts: ServiceParts): { definition: ServiceDefinition; handlers: Record<string, Method['handle']>; permissions: MethodPermissions } => {
  const methods = Object.entries(methodsOf(parts));
  const codec = { requestStream: false, responseStream: false, requestSerialize: identity, requestDeserialize: identity, responseSerialize: identity, responseDeserialize: identity };
  return {
    definition: Object.fromEntries(methods.map(([name]) => [name, { path: methodPath(name), ...codec }])),
    handlers: Object.fromEntries(methods.map(([name, { handle }]) => [name, handle])),
    permissions: new Map(methods.map(([name, { permission }]) => [methodPath(name), permission])),
  };
};
