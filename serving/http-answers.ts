/** Bodies and headers of the gateway's answers, in the form of the Open Inference Protocol V2. */
import type { ServerResponse } from 'node:http';
import type { PerennialFailure } from '../domain/failure.ts';
import type { AnswerBody } from './answer-text.ts';
import type { InferenceAnswer } from './inference-service.ts';
import { publicFailure } from './public-failure.ts';

export const sendText = (response: ServerResponse, status: number, { text, headers }: { text: string; headers: readonly string[] }): void => {
  response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(text))]);
  response.end(text);
};

const JSON_TYPE = ['content-type', 'application/json'] as const;

export const sendJson = (response: ServerResponse, status: number, body: unknown): void => sendText(response, status, { text: JSON.stringify(body), headers: JSON_TYPE });

export const sendAnswer = (response: ServerResponse, { id, role, version, body: { text, binary } }: InferenceAnswer<AnswerBody>): void => {
  const headers = ['x-request-id', id, 'x-perennial-role', role, 'x-perennial-version', version];
  if (binary.length === 0) return sendText(response, 200, { text, headers: [...JSON_TYPE, ...headers] });
  const json = Buffer.from(text, 'utf8');
  const bytes = Buffer.concat([json, ...binary]);
  response.writeHead(200, [...headers, 'content-type', 'application/octet-stream', 'inference-header-content-length', String(json.length), 'content-length', String(bytes.length)]);
  response.end(bytes);
};

const EXTRA_HEADERS: Partial<Record<PerennialFailure['code'], readonly string[]>> = {
  Overloaded: ['retry-after', '1'],
  ModelUnavailable: ['retry-after', '1'],
  PredictionLogUnavailable: ['retry-after', '5'],
  Unauthenticated: ['www-authenticate', 'Bearer'],
  // The rest of the body is not read: the connection cannot be used again.
  PayloadTooLarge: ['connection', 'close'],
};

/** Answers with a failure; gives the status. */
export const sendFailure = (response: ServerResponse, error: unknown): number => {
  const { code, status, message } = publicFailure(error);
  if (!response.headersSent) {
    sendText(response, status, { text: JSON.stringify({ error: message }), headers: [...JSON_TYPE, 'x-perennial-error', code, ...(EXTRA_HEADERS[code] ?? [])] });
  }
  return status;
};
