/** The model repository extension over HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PerennialFailure } from '../domain/failure.ts';
import { isJsonObject, type JsonObject } from '../domain/json-object.ts';
import { sendJson } from './http-answers.ts';
import { readText } from './http-body.ts';
import { parseBody } from './http-forms.ts';
import { confirmLoaded, refuseUnload, repositoryIndex, type RepositoryParts } from './model-repository.ts';

/** Bodies may be left out. */
const readBody = async (request: IncomingMessage): Promise<JsonObject> => {
  const body = await readText(request);
  const parsed = body.trim() === '' ? {} : parseBody(body);
  if (!isJsonObject(parsed)) throw new PerennialFailure('InferenceInvalid', 'body: must be an object');
  return parsed;
};

export const serveRepositoryIndex = async (parts: RepositoryParts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { ready = false } = await readBody(request);
  if (typeof ready !== 'boolean') throw new PerennialFailure('InferenceInvalid', 'ready: must be true or false');
  sendJson(response, 200, repositoryIndex(parts, { isReadyOnly: ready }));
};

/** @param action what the path asks for */
export const serveRepositoryChange = async (parts: RepositoryParts, { action, model }: { action: 'load' | 'unload'; model: string }, { request, response }: { request: IncomingMessage; response: ServerResponse }): Promise<void> => {
  const { parameters } = await readBody(request);
  if (action === 'unload') return refuseUnload(parts, model);
  await confirmLoaded(parts, model, { hasParameters: isJsonObject(parameters) && Object.keys(parameters).length > 0 });
  sendJson(response, 200, {});
};
