/** Metrics of the API process. Labels are route patterns, never what a user sent, so their number is bounded. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export type ApiMetrics = { contentType: string; text(): Promise<string> };

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures every request of the app. */
export const measure = (app: FastifyInstance): ApiMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'perennial_api_' });
  const duration = new Histogram({
    name: 'perennial_api_request_duration_seconds',
    help: 'Duration of requests by method, route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    duration.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
  });
  return { contentType: registry.contentType, text: () => registry.metrics() };
};
