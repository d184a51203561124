/**
 * The operator's file of receivers (YAML or JSON, PERENNIAL_ALERT_RECEIVERS): names that pipelines may use, and the addresses that messages may go to.
 * A secret stands there by reference only: a variable of the worker's environment, or a file of its own.
 *
 * It is read again for each message, so that a receiver that was added or a secret that was changed counts at once.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ReceiverName } from '../../contracts/alert.ts';

/** Variables with other names are not read: the file cannot name the password of something else. */
const SecretReference = z.union([
  z.strictObject({ env: z.string().regex(/^PERENNIAL_SECRET_[A-Z0-9_]{1,100}$/, 'a variable whose name begins with PERENNIAL_SECRET_') }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretReference = z.infer<typeof SecretReference>;

/** An address may be a secret itself, as those of chat systems are. */
const Address = z.union([z.url(), SecretReference]);

const Webhook = z.strictObject({ kind: z.literal('webhook'), url: Address, secret: SecretReference });
const Alertmanager = z.strictObject({ kind: z.literal('alertmanager'), url: Address, bearer: SecretReference.optional() });
const Mailbox = z.email().max(200);
const Email = z.strictObject({
  kind: z.literal('email'),
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535),
  /** `starttls` insists on it; `none` is for a relay on this machine. */
  tls: z.enum(['implicit', 'starttls', 'none']).default('starttls'),
  user: z.string().min(1).max(200).optional(),
  password: SecretReference.optional(),
  from: Mailbox,
  to: z.array(Mailbox).min(1).max(50),
});

/** Where webhooks may go: scheme, host (a glob) and port. Addresses of private networks need `private: true`. */
const Allowed = z.strictObject({
  scheme: z.enum(['https', 'http']).default('https'),
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535).optional(),
  private: z.boolean().default(false),
});
export type Allowed = z.infer<typeof Allowed>;

const ReceiversFile = z.strictObject({
  allow: z.array(Allowed).max(200).default([]),
  receivers: z.record(ReceiverName, z.discriminatedUnion('kind', [Webhook, Alertmanager, Email])),
});
export type ReceiversFile = z.infer<typeof ReceiversFile>;
export type Receiver = ReceiversFile['receivers'][string];
export type EmailReceiver = z.infer<typeof Email>;

export type NotifyConfig = { receiversFile: string | undefined; secrets: Readonly<Record<string, string>> };

/** What the operator has to mend. The message names the place and never a secret. */
export class NotifyMisconfigured extends Error {}

/** Reads and checks the file. @throws NotifyMisconfigured */
export const readReceivers = async ({ receiversFile }: NotifyConfig): Promise<ReceiversFile> => {
  if (receiversFile === undefined) throw new NotifyMisconfigured('PERENNIAL_ALERT_RECEIVERS is not set on this worker: there are no receivers');
  const text = await readFile(receiversFile, 'utf8').catch(() => {
    throw new NotifyMisconfigured('the file of receivers cannot be read: check PERENNIAL_ALERT_RECEIVERS');
  });
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 20 });
  } catch {
    throw new NotifyMisconfigured('the file of receivers is not valid YAML');
  }
  const result = ReceiversFile.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new NotifyMisconfigured(`the file of receivers is not valid at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown'}`);
};

/** Names of the receivers, for the one who checks a pipeline; undefined where there is no file, or none that could be read. */
export const receiverNames = async (config: NotifyConfig): Promise<string[] | undefined> => {
  try {
    return Object.keys((await readReceivers(config)).receivers);
  } catch (error) {
    if (error instanceof NotifyMisconfigured) return undefined;
    throw error;
  }
};

/** The text of a secret. @throws NotifyMisconfigured that names the variable or the file, as the operator wrote it */
export const readSecret = async (reference: SecretReference, { receiversFile = '.', secrets }: NotifyConfig): Promise<string> => {
  if ('env' in reference) {
    const secret = secrets[reference.env];
    if (secret === undefined || secret === '') throw new NotifyMisconfigured(`the variable ${reference.env} is not set on this worker`);
    return secret;
  }
  try {
    return (await readFile(resolve(dirname(receiversFile), reference.file), 'utf8')).trim();
  } catch {
    throw new NotifyMisconfigured(`the secret file ${reference.file} cannot be read`);
  }
};

/** The text of an address. @throws NotifyMisconfigured */
export const readAddress = (address: z.infer<typeof Address>, config: NotifyConfig): Promise<string> =>
  typeof address === 'string' ? Promise.resolve(address) : readSecret(address, config);
