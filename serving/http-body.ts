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

/** @throws PerennialFailure MalformedBody when it is not UTF-8 */
const textOf = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new PerennialFailure('MalformedBody', 'The body is not UTF-8.');
  return bytes.toString('utf8');
};

/**
 * The whole body as text, whatever the headers say of a binary part: Triton's client leaves that header of an earlier request in the next one.
 * @throws PerennialFailure PayloadTooLarge or MalformedBody
 */
export const readText = async (request: IncomingMessage): Promise<string> => textOf(await readBytes(request));

/**
 * The body as text; with the header Inference-Header-Content-Length of the binary tensor extension only so many bytes of it are text, and the rest is given as it is.
 * @throws PerennialFailure PayloadTooLarge or MalformedBody
 */
export const readTextAndBinary = async (request: IncomingMessage): Promise<{ body: string; binary: Buffer | undefined }> => {
  const bytes = await readBytes(request);
  const header = request.headers['inference-header-content-length'];
  if (header === undefined) return { body: textOf(bytes), binary: undefined };
  const length = /^\d{1,9}$/.test(String(header)) ? Number(header) : NaN;
  if (!(length <= bytes.length)) throw new PerennialFailure('MalformedBody', `The header Inference-Header-Content-Length must be the bytes of the JSON at the start of the body, at most ${bytes.length}.`);
  return { body: textOf(bytes.subarray(0, length)), binary: bytes.subarray(length) };
};

/** @throws PerennialFailure PayloadTooLarge as soon as that is known, MalformedBody when it is cut off */
const readBytes = (request: IncomingMessage): Promise<Buffer> =>
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
      resolve(bytes === undefined ? Buffer.alloc(0) : bytes.subarray(0, used));
    });
    request.on('error', () => reject(new PerennialFailure('MalformedBody', 'The request was cut off.')));
  });
