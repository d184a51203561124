/**
 * The console's session: a cookie that scripts cannot read and other sites cannot send. It holds the API key itself, so that a revoked key
 * ends its sessions too, and any API process knows it. A browser sends cookies by itself, so a request that changes something must also
 * carry a header that no foreign page can set, and come from the page of this very host and port.
 */
import type { FastifyRequest } from 'fastify';
import { PerennialFailure } from '../../domain/failure.ts';
import { isApiKey, keyOfHeader } from '../keys/api-key.ts';

export const SESSION_COOKIE = 'perennial_session';
/** Set by the console on every request; a foreign page would need leave (CORS), which nobody gets. */
export const SESSION_HEADER = 'x-perennial-console';

const LONGEST_COOKIES = 8_192;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

const cookieOf = (header: string | undefined, name: string): string | undefined => {
  if (header === undefined || header.length > LONGEST_COOKIES) return undefined;
  const part = header.split(';').find((one) => one.trim().startsWith(`${name}=`));
  return part?.trim().slice(name.length + 1);
};

const isSecure = (request: FastifyRequest): boolean => request.protocol === 'https';

/** Path /api: pages and files need no key. Without an age it ends with the browser. */
const cookie = (request: FastifyRequest, value: string, rest = ''): string =>
  `${SESSION_COOKIE}=${value}; Path=/api; HttpOnly; SameSite=Strict${isSecure(request) ? '; Secure' : ''}${rest}`;

export const sessionCookie = (request: FastifyRequest, key: string): string => cookie(request, key);
export const endedSessionCookie = (request: FastifyRequest): string => cookie(request, '', '; Max-Age=0');

/** Whether the page that sends this is one of this server. Browsers name the page's origin in every request that changes something. */
const isOwnOrigin = ({ headers: { origin, host } }: FastifyRequest): boolean => {
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
};

/** @throws PerennialFailure PermissionDenied for a request that another site may have made the browser send */
export const demandOwnPage = (request: FastifyRequest): void => {
  if (SAFE.has(request.method)) return;
  if (request.headers[SESSION_HEADER] !== undefined && isOwnOrigin(request)) return;
  throw new PerennialFailure('PermissionDenied', 'a session may change something only from the console itself', { fix: 'Use the console, or send the key in the header Authorization.' });
};

/** The key of a request: of its header, else of its session. @throws PerennialFailure PermissionDenied (see demandOwnPage) */
export const keyOfRequest = (request: FastifyRequest): string | undefined => {
  if (request.headers.authorization !== undefined) return keyOfHeader(request.headers.authorization);
  const key = cookieOf(request.headers.cookie, SESSION_COOKIE);
  if (key === undefined || !isApiKey(key)) return undefined;
  demandOwnPage(request);
  return key;
};
