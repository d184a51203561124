/** Metrics of the API: its requests, itself, and what is recorded. Labels are route patterns, never what a user sent, so their number is bounded. */
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type ApiMetrics = { contentType: string; text(): Promise<string> };

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures every request of the app. */
export const measure = (app: FastifyInstance, registry: Registry): ApiMetrics => {
  const registers = [registry];
  const labelNames = ['method', 'route', 'status'] as const;
  const duration = new Histogram({ name: 'perennial_api_request_duration_seconds', help: 'Duration of requests by method, route pattern and status.', labelNames, buckets: BUCKETS_SECONDS, registers });
  const requests = new Counter({ name: 'perennial_api_requests_total', help: 'Requests by method, route pattern and status.', labelNames, registers });
  const open = new Gauge({ name: 'perennial_api_requests_open', help: 'Requests that are being answered; streams of events count until they end.', registers });
  app.addHook('onRequest', async () => open.inc());
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    open.dec();
    requests.inc(labels);
    duration.observe(labels, reply.elapsedTime / 1_000);
  });
  return { contentType: registry.contentType, text: () => registry.metrics() };
};
