/** Reads CloudEvents 1.0 from HTTP in their three forms: binary, structured and batch. */
import type { FastifyRequest } from 'fastify';
import { CloudEvent } from '../../contracts/trigger.ts';
import { explainIssues } from '../http/explain-issues.ts';
import { RequestRefused, type FieldError } from '../http/problem.ts';

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';

const MOST_EVENTS = 1_000;
const ATTRIBUTE_PREFIX = 'ce-';

const malformed = (message: string): RequestRefused => new RequestRefused('MalformedBody', [{ path: '', message, fix: 'Send a CloudEvent: binary (ce- headers), structured or batch.' }]);

/** Header values carry other characters percent-encoded. */
const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    throw malformed('a ce- header has an invalid percent-encoding');
  }
};

const headersOf = (request: FastifyRequest): Record<string, string> => {
  const attributes = Object.entries(request.headers).filter(([name]) => name.startsWith(ATTRIBUTE_PREFIX));
  return Object.fromEntries(attributes.map(([name, value]) => [name.slice(ATTRIBUTE_PREFIX.length), decoded(String(value))]));
};

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    throw malformed('the body is not valid JSON');
  }
};

const contentTypeOf = (request: FastifyRequest): string => (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

const candidatesOf = (request: FastifyRequest, body: string): unknown[] => {
  const type = contentTypeOf(request);
  if (type === STRUCTURED) return [jsonOf(body)];
  if (type === BATCH) {
    const events = jsonOf(body);
    if (!Array.isArray(events)) throw malformed('a batch must be a list of events');
    if (events.length > MOST_EVENTS) throw malformed(`a batch may have ${MOST_EVENTS} events, this one has ${events.length}`);
    return events;
  }
  // The data itself is not needed: the event says what happened, and where.
  const attributes = headersOf(request);
  if (Object.keys(attributes).length === 0) throw malformed('there is no ce- header, and the content type is none of CloudEvents');
  return [type === '' ? attributes : { ...attributes, datacontenttype: type }];
};

const ATTRIBUTE_NAME = /^[a-z0-9]{1,64}$/;

const attributeErrors = (event: CloudEvent, place: string): FieldError[] =>
  Object.keys(event)
    .filter((name) => !ATTRIBUTE_NAME.test(name) && name !== 'data_base64')
    .map((name) => ({ path: `${place}${name.slice(0, 64)}`, message: 'is no attribute name: lower-case letters and digits', fix: 'Rename or remove it.' }));

/**
 * The events of a request: all of them, or none when one is not valid.
 * @throws RequestRefused MalformedBody, InvalidRequest
 */
export const readCloudEvents = (request: FastifyRequest, body: string): CloudEvent[] => {
  const candidates = candidatesOf(request, body);
  const isBatch = contentTypeOf(request) === BATCH;
  const errors: FieldError[] = [];
  const events = candidates.flatMap((candidate, index) => {
    const place = isBatch ? `[${index}].` : '';
    const parsed = CloudEvent.safeParse(candidate, { reportInput: true });
    if (!parsed.success) errors.push(...explainIssues(CloudEvent, parsed.error.issues, candidate).map((error) => ({ ...error, path: `${place}${error.path}` })));
    else errors.push(...attributeErrors(parsed.data, place));
    return parsed.success ? [parsed.data] : [];
  });
  if (errors.length > 0) throw new RequestRefused('InvalidRequest', errors.slice(0, 50));
  return events;
};
