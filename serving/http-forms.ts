/** The forms in which inference requests come by HTTP: V2 as JSON or with binary tensors, and the protocols that give rows. */
import { PerennialFailure } from '../domain/failure.ts';
import { readEnvelope } from '../domain/inference.ts';
import { fromCsv } from '../domain/csv-requests.ts';
import { fromRowRequest, type RowForm } from '../domain/row-requests.ts';
import { answerOf, rowAnswerOf, type AnswerBody } from './answer-text.ts';
import { withBinaryInputs } from './binary-tensors.ts';
import { notDeployed, variantsOf, type AppliedDeployment, type Variant } from './deployment-table.ts';
import type { InferenceForm, ReadRequest } from './inference-service.ts';

/** The JSON of a body, and what follows it; undefined where the client did not say that anything does. */
export type HttpContent = { body: string; binary: Buffer | undefined };

/** @throws PerennialFailure MalformedBody */
export const parseBody = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PerennialFailure('MalformedBody', `The body is not valid JSON (null is the missing value; NaN and Infinity are no JSON): ${(error as Error).message.slice(0, 200)}`);
  }
};

/** The same text with null for NaN where that is no part of a string: Python's JSON, which sends it for a missing value, is read by servers in Python. */
const withoutNaN = (text: string): string => {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const quote = text.indexOf('"', at);
    parts.push(text.slice(at, quote === -1 ? text.length : quote).replace(/\bNaN\b/g, 'null'));
    if (quote === -1) return parts.join('');
    at = endOfString(text, quote);
    parts.push(text.slice(quote, at));
  }
};

/** Where the string that begins here has ended. */
const endOfString = (text: string, start: number): number => {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
};

/** @throws PerennialFailure MalformedBody */
const parsePythonBody = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return parseBody(withoutNaN(text));
  }
};

/** The signature by which clients that send rows know the model. */
const signatureOf = (deployment: AppliedDeployment): Variant['signature'] => {
  const [variant] = variantsOf(deployment);
  if (variant === undefined) throw notDeployed(deployment.snapshot.model);
  return variant.signature;
};

/** A request that was put into the form of V2. */
export const readInJson = (request: unknown): ReadRequest => ({ envelope: readEnvelope(request), json: JSON.stringify(request) });

export const v2Form = ({ body, binary }: HttpContent): InferenceForm<AnswerBody> => ({
  read: () => (binary === undefined ? { envelope: readEnvelope(parseBody(body)), json: body } : readInJson(withBinaryInputs(parseBody(body), binary))),
  write: answerOf,
});

export const rowForm = (form: RowForm, { body, binary }: HttpContent): InferenceForm<AnswerBody> => {
  if (binary !== undefined) throw new PerennialFailure('MalformedBody', 'The header Inference-Header-Content-Length belongs to V2: this route takes JSON alone.');
  return { read: (deployment) => readInJson(fromRowRequest(parsePythonBody(body), signatureOf(deployment), form)), write: rowAnswerOf };
};

/** @param hasHeader whether the first line names the columns */
export const csvForm = ({ body }: HttpContent, { hasHeader }: { hasHeader: boolean }): InferenceForm<AnswerBody> => ({
  read: (deployment) => readInJson(fromCsv(body, signatureOf(deployment), { hasHeader })),
  write: rowAnswerOf,
});
