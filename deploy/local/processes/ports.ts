/** Ports of the local stack: which variable sets each, whether it is free, and free ones for tests. */
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** Ports of one stack; gateways listen on `gateway`, `gateway + 1`, ..., and so do their gRPC from `gatewayGrpc` and the metrics of workers from `metrics` on. */
export type Ports = { api: number; gateway: number; gatewayGrpc: number; temporal: number; temporalUi: number; postgres: number; metrics: number };

/** The environment variable behind each port. */
export const portVariables: Record<keyof Ports, string> = {
  api: 'PERENNIAL_API_PORT',
  gateway: 'PERENNIAL_GATEWAY_PORT',
  gatewayGrpc: 'PERENNIAL_GATEWAY_GRPC_PORT',
  temporal: 'PERENNIAL_TEMPORAL_PORT',
  temporalUi: 'PERENNIAL_TEMPORAL_UI_PORT',
  postgres: 'PERENNIAL_POSTGRES_PORT',
  metrics: 'PERENNIAL_METRICS_PORT',
};

/** Where the metrics of a local stack's first worker are unless PERENNIAL_METRICS_PORT says otherwise. */
export const defaultMetricsPort = 7100;

export type PortUse = { port: number; host: string; variable: string; what: string };

/** How many workers a local stack has unless it is told otherwise. */
const WORKERS = 4;

/** Every port that a stack listens on. `bind` is the address of API, gateways and metrics; the rest is on loopback always. */
export const portUses = (ports: Ports, gateways: number, bind: string): PortUse[] => {
  const local = '127.0.0.1';
  const nth = (index: number, kind: 'gateway' | 'gatewayGrpc' | 'metrics', what: string): PortUse => {
    const variable = index === 0 ? portVariables[kind] : `${portVariables[kind]} plus ${index}`;
    return { port: ports[kind] + index, host: bind, variable, what };
  };
  return [
    { port: ports.api, host: bind, variable: portVariables.api, what: 'the API' },
    ...Array.from({ length: gateways }, (_, index) => nth(index, 'gateway', `gateway-${index + 1}`)),
    ...Array.from({ length: gateways }, (_, index) => nth(index, 'gatewayGrpc', `gRPC of gateway-${index + 1}`)),
    ...Array.from({ length: WORKERS }, (_, index) => nth(index, 'metrics', `the metrics of worker ${index + 1}`)),
    { port: ports.temporal, host: local, variable: portVariables.temporal, what: 'Temporal' },
    { port: ports.temporalUi, host: local, variable: portVariables.temporalUi, what: "Temporal's Web UI" },
    { port: ports.postgres, host: local, variable: portVariables.postgres, what: 'PostgreSQL' },
  ];
};

/** True when nothing listens on the port of `host`. @throws Error when the address itself cannot be bound */
export const isPortFree = ({ port, host }: { port: number; host: string }): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(new Error(`cannot listen on ${host}: ${error.message}; PERENNIAL_BIND names an address of this machine`));
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** Says which of the ports are taken or given twice, one sentence each; empty when all are free. */
export const portProblems = async (uses: readonly PortUse[]): Promise<string[]> => {
  const problems: string[] = [];
  for (const [index, use] of uses.entries()) {
    const earlier = uses.slice(0, index).find((other) => other.port === use.port);
    if (earlier !== undefined) {
      problems.push(`port ${use.port} is given to both ${earlier.what} (${earlier.variable}) and ${use.what} (${use.variable}): change one of them`);
    } else if (!(await isPortFree(use))) {
      problems.push(`port ${use.port} of ${use.what} is taken: end what listens there, or set ${use.variable} to a free port`);
    }
  }
  return problems;
};

/** Below the range from which the system gives out ports by itself, so that no outgoing connection takes one meanwhile. */
const range = { from: 20_000, to: 32_000 };

/** Free ports for a stack with `gateways` gateways, one block in a row; for tests. */
export const findFreePorts = async (gateways = 2): Promise<Ports> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const base = randomInt(range.from, range.to - 2 * gateways - WORKERS - 4);
    const ports = { api: base, temporal: base + 1, temporalUi: base + 2, postgres: base + 3, gateway: base + 4, gatewayGrpc: base + 4 + gateways, metrics: base + 4 + 2 * gateways };
    const free = await Promise.all(portUses(ports, gateways, '127.0.0.1').map(isPortFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`no free ports between ${range.from} and ${range.to}`);
};
