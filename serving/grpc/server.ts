/** The gRPC server of the gateway, beside that of HTTP and with the same limits. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Access } from '../access.ts';
import { BODY_LIMIT_BYTES } from '../http-body.ts';
import { createGuard } from './guard.ts';
import { createService, type ServiceParts } from './service.ts';

const OPTIONS = {
  'grpc.max_receive_message_length': BODY_LIMIT_BYTES,
  // An answer may be larger than its request.
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': 256,
  // Connections that carry no call for so long are closed; clients open another one by themselves.
  'grpc.max_connection_idle_ms': 300_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Megabytes that one connection may make the protocol's own code hold, such as answers that nobody takes.
  'grpc-node.max_session_memory': 64,
  'grpc.enable_channelz': 0,
};

export type GrpcServer = {
  /** Address as clients write it: host and port. */
  address: string;
  /** Takes no new calls, and waits for those under way; what is left after `ms` is cut off. */
  drain(ms: number): Promise<void>;
};

/**
 * Starts the server.
 * @throws Error that names the setting when the port is taken
 */
export const startGrpcServer = async (parts: ServiceParts & { access: Access }, { bind, port }: { bind: string; port: number }): Promise<GrpcServer> => {
  const { definition, handlers, permissions } = createService(parts);
  const server = new Server({ ...OPTIONS, interceptors: [createGuard({ access: parts.access, permissions, log: parts.log })] });
  server.addService(definition, handlers);
  const host = bind.includes(':') ? `[${bind}]` : bind;
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, number) => (error === null ? resolve(number) : reject(error)));
  }).catch((error: Error) => {
    throw new Error(`gRPC cannot listen on port ${port} (${error.message}): set PERENNIAL_GATEWAY_GRPC_PORT to a free one`);
  });
  return {
    address: `${host}:${bound}`,
    drain: async (ms) => {
      const done = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
      server.forceShutdown();
    },
  };
};
