/** Reads a request body into memory, up to a limit: 8 MB whatever its form, and no more memory than about twice its size. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PerennialFailure } from '../domain/failure.ts';

export const BODY_LIMIT_BYTES = 8 * 1024 * 1024;
const FIRST_CAPACITY = 16 * 1024;

const tooLarge = (): PerennialFailure => new PerennialFailure('PayloadTooLarge', `The body is larger than ${BODY_LIMIT_BYTES} bytes.`);

/** Adds to a buffer that doubles when full: many tiny chunks must not become many objects. */
const append = (buffer: Buffer, used: number, chunk: Buffer): Buffer => {
  let target = buffer;
  if (used + chunk.length > buffer.length) {
    target = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, 2 * buffer.length, used + chunk.length));
    buffer.copy(target, 0, 0, used);
  }
  chunk.copy(target, used);
  return target;
};

const textOf = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new PerennialFailure('MalformedBody', 'The body is not UTF-8.');
  return bytes.toString('utf8');
};

/**
 * The body as text.
 * @throws PerennialFailure PayloadTooLarge as soon as that is known, MalformedBody when it is not UTF-8
 */
export const readBody = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return reject(tooLarge());
    let bytes: Buffer | undefined;
    let used = 0;
    request.on('data', (chunk: Buffer) => {
      if (used + chunk.length > BODY_LIMIT_BYTES) {
        request.removeAllListeners('data');
        return reject(tooLarge());
      }
      // Most bodies come in one piece.
      bytes = bytes === undefined ? chunk : append(bytes, used, chunk);
      used += chunk.length;
    });
    request.on('end', () => {
      try {
        resolve(bytes === undefined ? '' : textOf(bytes.length === used ? bytes : bytes.subarray(0, used)));
      } catch (error) {
        reject(error as Error);
      }
    });
    request.on('error', () => reject(new PerennialFailure('MalformedBody', 'The request was cut off.')));
  });
