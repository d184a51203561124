/** Bodies and headers of the gateway's answers, in the form of the Open Inference Protocol V2. */
import type { ServerResponse } from 'node:http';
import { FAILURES } from '../contracts/failures.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { variantsOf, type AppliedDeployment, type Variant } from './deployment-table.ts';
import type { InferenceAnswer } from './inference-service.ts';

export const sendText = (response: ServerResponse, status: number, { text, headers }: { text: string; headers: readonly string[] }): void => {
  response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(text))]);
  response.end(text);
};

const JSON_TYPE = ['content-type', 'application/json'] as const;

export const sendJson = (response: ServerResponse, status: number, body: unknown): void => sendText(response, status, { text: JSON.stringify(body), headers: JSON_TYPE });

export const sendAnswer = (response: ServerResponse, { id, role, version, text, binary }: InferenceAnswer): void => {
  const headers = ['x-request-id', id, 'x-perennial-role', role, 'x-perennial-version', version];
  if (binary.length === 0) return sendText(response, 200, { text, headers: [...JSON_TYPE, ...headers] });
  const json = Buffer.from(text, 'utf8');
  const body = Buffer.concat([json, ...binary]);
  response.writeHead(200, [...headers, 'content-type', 'application/octet-stream', 'inference-header-content-length', String(json.length), 'content-length', String(body.length)]);
  response.end(body);
};

/** A failure as the client may see it: of what a model or this process did only the kind, never a path, an address or a stack. */
export const publicFailure = (error: unknown): { code: PerennialFailure['code']; status: number; message: string } => {
  const failure = error instanceof PerennialFailure ? error : new PerennialFailure('Internal', FAILURES.Internal.title);
  const { code } = failure;
  if (code === 'ModelFailed') {
    const operator = /while running (\w{1,64}) node/.exec(failure.message)?.[1];
    return { code, status: 500, message: `The model failed while it scored${operator === undefined ? '' : ` (operator ${operator})`}.` };
  }
  if (code === 'Internal') return { code, status: 500, message: FAILURES.Internal.title };
  return { code, status: FAILURES[code].httpStatus, message: failure.message };
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

const tensorsOf = (tensors: Variant['signature']['inputs']) => tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape }));

/** Metadata of a model, or of one version of it; undefined when that version is not loaded. */
export const modelMetadata = (deployment: AppliedDeployment, version: number | undefined) => {
  const variants = variantsOf(deployment);
  const shown = version === undefined ? variants[0] : variants.find((variant) => variant.version === version);
  if (shown === undefined) return undefined;
  return {
    name: deployment.snapshot.model,
    versions: variants.map((variant) => String(variant.version)),
    platform: 'onnxruntime_onnx',
    inputs: tensorsOf(shown.signature.inputs),
    outputs: tensorsOf(shown.signature.outputs),
  };
};
