/** API keys: `perennial_` and 32 random bytes as base64url. Only the hash is ever stored. */
import { createHash, randomBytes } from 'node:crypto';

const PATTERN = /^perennial_[A-Za-z0-9_-]{43}$/;

export const newApiKey = (): string => `perennial_${randomBytes(32).toString('base64url')}`;

/** sha256 in hexadecimal: enough for a key of 256 random bits, which no one can guess or tabulate. */
export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Whether a text can be a key. */
export const isApiKey = (text: string): boolean => PATTERN.test(text);

const LONGEST_HEADER = 500;

const ofBasic = (credentials: string): string | undefined => /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8'))?.[1];

/**
 * The key of an Authorization header; undefined when it is absent or cannot be one. Clients that only know a user and a password
 * (HTTP Basic) send the key as the password, with any user name.
 */
export const keyOfHeader = (header: string | undefined): string | undefined => {
  if (header === undefined || header.length > LONGEST_HEADER) return undefined;
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +(\S+)$/i.exec(header) ?? [];
  const key = scheme.toLowerCase() === 'basic' ? ofBasic(credentials) : credentials;
  return key !== undefined && isApiKey(key) ? key : undefined;
};
