/** The small messages of open-inference.proto: requests of a few words, and their answers. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { readMessage, readText, type FieldReader } from './proto-reader.ts';

const { root } = protobuf.parse(readFileSync(new URL('./open-inference.proto', import.meta.url), 'utf8'), { keepCase: true });

const service = root.lookupService('inference.GRPCInferenceService');

export const methodPath = (method: string): string => `/inference.GRPCInferenceService/${method}`;

export type SmallRequest = Record<string, string | boolean>;

/** How fields of these types are read; of others it is only told that they are there. */
const READERS: Record<string, (request: SmallRequest, name: string) => FieldReader> = {
  string: (request, name) => ({ wire: 'bytes', read: (reader) => (request[name] = readText(reader)) }),
  bool: (request, name) => ({ wire: 'varint', read: (reader) => (request[name] = reader.bool()) }),
};
const DEFAULTS: Record<string, string | boolean> = { string: '', bool: false };

export type MessageCodec = {
  /**
   * The texts and booleans of a request; of every other field that is there, `true`.
   * @throws PerennialFailure MalformedBody
   */
  read(bytes: Buffer): SmallRequest;
  write(answer: object): Buffer;
};

/** @param method a method of the service whose request is small */
export const codecOf = (method: string): MessageCodec => {
  const { requestType, responseType } = service.methods[method] as protobuf.Method;
  const [{ fieldsById, fieldsArray }, response] = [root.lookupType(`inference.${requestType}`), root.lookupType(`inference.${responseType}`)];
  return {
    read: (bytes) => {
      const request = Object.fromEntries(fieldsArray.flatMap(({ name, type }) => (DEFAULTS[type] === undefined ? [] : [[name, DEFAULTS[type]]]))) as SmallRequest;
      readMessage(bytes, (field) => {
        const known = fieldsById[field];
        if (known === undefined) return undefined;
        const read = READERS[known.type];
        if (read === undefined) request[known.name] = true;
        return read?.(request, known.name);
      });
      return request;
    },
    write: (answer) => response.encode(answer).finish() as Buffer,
  };
};
