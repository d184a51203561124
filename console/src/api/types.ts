/** The API's types, by the names that pages use. They are generated from the OpenAPI document (npm run console:types). */
import type { components, paths } from './schema.ts';

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;

/** Paths that can be read. */
export type ReadPath = { [P in keyof paths]: paths[P] extends { get: { responses: { 200: unknown } } } ? P : never }[keyof paths];

type Get<P extends ReadPath> = paths[P] extends { get: infer Operation } ? Operation : never;

/** What a path answers. */
export type Answer<P extends ReadPath> = Get<P> extends { responses: { 200: infer Response } } ? Json<Response> : never;

/** The query parameters that a path takes. */
export type Query<P extends ReadPath> = Get<P> extends { parameters: { query?: infer Parameters } } ? Parameters : never;

export type Run = components['schemas']['Run'];
export type RunSummary = components['schemas']['RunSummary'];
export type Step = components['schemas']['Step'];
export type Session = components['schemas']['Session'];
export type Permission = Session['permissions'][number];
export type Overview = components['schemas']['Overview'];
export type ServingWindow = components['schemas']['ServingWindow'];
export type Deployment = Answer<'/api/v1/models/{model}/deployment'>;
export type DeploymentHistory = Answer<'/api/v1/models/{model}/deployment/history'>;
export type MonitorReport = components['schemas']['MonitorReport'];
export type Alert = Answer<'/api/v1/alerts'>['alerts'][number];
export type Trigger = Answer<'/api/v1/triggers'>['triggers'][number];
export type Schedule = components['schemas']['Schedule'];
export type ModelVersion = Answer<'/api/v1/models/{model}/versions/{version}'>;
