/** One HTTP POST that cannot be led astray: allowed addresses only, no redirects, no kept connection, bounded in time; of the answer only the status is read. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { DeliveryOutcome } from '../../contracts/alert.ts';
import { AddressNotAllowed, guardedLookup, requireAllowed } from './allowed-addresses.ts';
import type { Allowed } from './receivers.ts';

const DEADLINE_MS = 10_000;

export type Post = { url: string; headers: Record<string, string>; body: string; allow: Allowed[] };

export type PostOutcome = Exclude<DeliveryOutcome, { kind: 'silenced' }>;

/** Too early, too many, and everything of the server's side may pass; any other answer says the same again. */
const isPassing = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

const outcomeOf = (status: number): PostOutcome => {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  if (isPassing(status)) return { kind: 'unavailable', reason: `the receiver answered ${status}` };
  return { kind: 'refused', reason: status >= 300 && status < 400 ? `the receiver answered ${status}: redirects are not followed` : `the receiver answered ${status}` };
};

const failureOf = (error: unknown): PostOutcome => {
  if (error instanceof AddressNotAllowed) return { kind: 'refused', reason: error.message };
  const { code, name } = error as NodeJS.ErrnoException;
  // A message may hold the address, and that a secret: the code says enough.
  return { kind: 'unavailable', reason: `the receiver cannot be reached (${code ?? name ?? 'unknown'})` };
};

const send = (url: URL, options: RequestOptions, body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response: IncomingMessage) => {
      resolve(response.statusCode ?? 0);
      // Nothing of the body is wanted, however long it is.
      response.destroy();
    });
    request.on('error', reject);
    request.end(body);
  });

/** Sends it once. */
export const boundedPost = async ({ url: address, headers, body, allow }: Post, signal: AbortSignal): Promise<PostOutcome> => {
  if (!URL.canParse(address)) return { kind: 'refused', reason: 'the address is not a URL' };
  const url = new URL(address);
  try {
    const entry = requireAllowed(url, allow);
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'perennial' },
      agent: false,
      lookup: guardedLookup(entry),
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    };
    return outcomeOf(await send(url, options, body));
  } catch (error) {
    return failureOf(error);
  }
};
