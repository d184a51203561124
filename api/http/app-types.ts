/** Types that every file of routes shares. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiDependencies } from '../dependencies.ts';
import type { PipelineStore } from '../pipelines/pipeline-store.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import type { WorkerPools } from '../system/worker-pools.ts';
import type { TemporalCalls } from '../temporal/calls.ts';
import type { Idempotency } from './idempotency.ts';
import type { KeyStore } from '../keys/key-store.ts';

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** What routes work with: the dependencies, and what the app made of them. */
export type ApiContext = ApiDependencies & {
  temporalCalls: TemporalCalls;
  idempotency: Idempotency;
  keys: KeyStore;
  pipelines: PipelineStore;
  pools: WorkerPools;
  liveRuns: LiveRuns;
};
