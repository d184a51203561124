/** What every command works with: the API, the output, the configuration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readConfig, type Config } from '../workers/config.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { usageFailure } from './exit-codes.ts';
import { createOutput, type Output } from './output.ts';

/** `url` and `apiKey`: of the API, for what the client does not cover. */
export type Session = { api: ApiClient; output: Output; config: Config; url: string; apiKey: string | undefined };

const isLocal = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/** The admin key that `up` left in the home folder. It is for this machine, so it goes to no other. */
const savedKey = ({ home }: Config, url: string): string | undefined => {
  if (!isLocal(url)) return undefined;
  try {
    return readFileSync(join(home, 'admin-key'), 'utf8').trim();
  } catch {
    return undefined;
  }
};

const checkedUrl = (url: string): string => {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw usageFailure(`"${url}" is no address of an API`, 'Give one such as http://127.0.0.1:7070');
};

const configOf = (): Config => {
  try {
    return readConfig();
  } catch (error) {
    throw usageFailure(error instanceof Error ? error.message : String(error), 'Correct this environment variable.');
  }
};

/** The session of a command, by its options and the configuration. */
export const openSession = (command: Command): Session => {
  const options = command.optsWithGlobals<{ url?: string; json?: boolean }>();
  const config = configOf();
  const url = checkedUrl(options.url ?? config.apiUrl);
  const apiKey = config.apiKey ?? savedKey(config, url);
  return { config, output: createOutput(options.json === true), api: createApiClient({ url, apiKey }), url, apiKey };
};

/** A path segment from what a user typed. */
export const segment = (text: string | number): string => encodeURIComponent(String(text));

/** A whole number of an option or argument. */
export const wholeNumber = (name: string) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) throw usageFailure(`${name} is "${text}"`, `Give a whole number from 1 for ${name}.`);
  return value;
};
