/**
 * Values of MLflow's wire format (protobuf as JSON) and its limits: numbers of 64 bits may come as text, null means absent, unknown fields are ignored.
 * Text that MLflow cuts to its limit (values of params and tags) is cut here too.
 */
import { z } from 'zod';
import { invalidValue } from '../../domain/tracking/refusal.ts';
import type { KeyValue, MetricPoint } from '../../adapters/postgres/tracking/tracking-types.ts';

export const PARAM_CHARACTERS = 6_000;
export const TAG_CHARACTERS = 8_000;
export const REGISTRY_TAG_CHARACTERS = 100_000;
const KEY_CHARACTERS = 250;

/** A field that may be absent or null. */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

export const Text = z.string().max(5_000);
export const Required = z.string().min(1, 'a value is required').max(5_000);
export const Int64 = z.union([z.number().int(), z.string().regex(/^-?\d{1,16}$/).transform(Number)]).describe('An integer of 64 bits, as a number or as text.');

const SPECIAL: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
const NumberText = z.string().max(40).transform((text, context) => {
  const value = Object.hasOwn(SPECIAL, text) ? SPECIAL[text] : text.trim() === '' ? undefined : Number(text);
  if (value === undefined || (Number.isNaN(value) && text !== 'NaN')) context.addIssue({ code: 'custom', message: 'must be a number, NaN, Infinity or -Infinity' });
  return value ?? 0;
});
/** A double: a number, or NaN, Infinity and -Infinity as text. */
export const Double = z.union([z.number(), NumberText]);

const KEY_PATTERN = /^[\p{L}\p{N}_\-. :/]+$/u;

/** Keys of metrics, params and tags: no path out of a folder, as clients make file names of them. */
export const Key = z
  .string()
  .min(1)
  .max(KEY_CHARACTERS)
  .refine((key) => KEY_PATTERN.test(key), 'may only contain letters, digits, underscores, dashes, periods, spaces, colons and slashes')
  .refine((key) => !key.startsWith('/') && !key.split('/').some((part) => part === '..' || part === '.' || part === ''), 'must be a unique path');

const valueUpTo = (characters: number) => z.string().nullish().transform((value) => (value ?? '').slice(0, characters));

export const Tag = z.object({ key: Key, value: valueUpTo(TAG_CHARACTERS) });
export const Param = z.object({ key: Key, value: valueUpTo(PARAM_CHARACTERS) });
/** Tags of the registry and of experiments have other limits, and are refused beyond them. */
export const RegistryTag = z.object({ key: z.string().min(1).max(KEY_CHARACTERS), value: optional(z.string().max(REGISTRY_TAG_CHARACTERS)).transform((value) => value ?? '') });

export const MetricFields = {
  key: Key,
  value: Double,
  timestamp: Int64,
  step: optional(Int64),
  model_id: optional(Text),
  dataset_name: optional(Text),
  dataset_digest: optional(Text),
};
export const Metric = z.object(MetricFields);

export const pointOf = (metric: z.infer<typeof Metric>): MetricPoint => ({
  key: metric.key,
  value: metric.value,
  timestampMs: metric.timestamp,
  step: metric.step ?? 0,
  modelId: metric.model_id ?? null,
  datasetName: metric.dataset_name ?? null,
  datasetDigest: metric.dataset_digest ?? null,
});

/** Clients send the id of a run under both names. */
export const RunIdFields = { run_id: optional(z.string().max(64)), run_uuid: optional(z.string().max(64)) };

export const runIdOf = ({ run_id: runId, run_uuid: runUuid }: { run_id?: string | undefined; run_uuid?: string | undefined }): string => {
  const id = runId ?? runUuid;
  if (id === undefined || id === '') throw invalidValue('run_id: a value is required');
  return id;
};

/** The last one of a key counts. */
export const lastOfEach = (pairs: KeyValue[]): KeyValue[] => [...new Map(pairs.map((pair) => [pair.key, pair])).values()];

const HEARTBEAT_TAG = 'perennial.heartbeatSeconds';
const LONGEST_HEARTBEAT = 30 * 86_400;

/** What the tag `perennial.heartbeatSeconds` promises; undefined when it is not among the tags. */
export const heartbeatOf = (tags: KeyValue[]): number | undefined => {
  const tag = tags.find(({ key }) => key === HEARTBEAT_TAG);
  if (tag === undefined) return undefined;
  const seconds = Number(tag.value);
  if (!(seconds >= 1 && seconds <= LONGEST_HEARTBEAT)) throw invalidValue(`The tag ${HEARTBEAT_TAG} is '${tag.value.slice(0, 40)}': it must be a number of seconds from 1 to ${LONGEST_HEARTBEAT}.`);
  return seconds;
};

const VIEWS: Record<string, string[]> = { ACTIVE_ONLY: ['active'], DELETED_ONLY: ['deleted'], ALL: ['active', 'deleted'] };
export const View = optional(z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'])).describe('ACTIVE_ONLY (the default), DELETED_ONLY or ALL');
export const stagesOf = (view: string | undefined): string[] => VIEWS[view ?? 'ACTIVE_ONLY'] ?? ['active'];

/** An answer of a search: empty lists are left out. */
export const listAnswer = (name: string, entries: unknown[], nextPageToken: string | undefined): Record<string, unknown> => ({
  ...(entries.length === 0 ? {} : { [name]: entries }),
  ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
});
