/**
 * The form of the prediction log: a line per group commit, `<crc32 of the rest, 8 hex digits> <records>\n`, where the records are JSON texts with the record
 * separator of ASCII between them, which cannot stand in JSON. A line that a crash cut off does not match its checksum, and neither does one of an earlier file
 * in the same blocks: a group is there as a whole or not at all, like its answers.
 * A file names each version before its first record, so that it can be read by itself.
 */
import { crc32 } from 'node:zlib';
import type { ServingRole } from '../contracts/deployment.ts';
import type { SignatureTensor } from '../contracts/features.ts';
import type { InferenceValue } from '../domain/inference.ts';

/** Tells names and widths of the columns of a version's records. */
export type VersionLine = { kind: 'version'; model: string; version: number; inputs: SignatureTensor[]; outputs: SignatureTensor[] };

/** Values of one input, row-major; nested like its shape, or flat. */
export type InferenceData = (InferenceValue | InferenceData)[];

/**
 * One answered request. `at` is in milliseconds since the epoch; `request` is the body as the client sent it, which was checked against the signature (to write
 * its values again would cost more than the model); `outputs` are in the order of the signature, flat and row-major. `fellBackFrom` is the version that owed the answer and did not give it.
 */
export type AnswerLine = {
  kind: 'answer';
  id: string;
  at: number;
  model: string;
  version: number;
  role: ServingRole;
  generation: number;
  key?: string;
  rows: number;
  request: { inputs: { name: string; data: InferenceData }[] };
  outputs: InferenceValue[][];
  latencyMs: number;
  fellBackFrom?: number;
};

const SEPARATOR = '\x1e';

/**
 * The line of a group.
 * @param records JSON texts without line breaks
 * @param seed checksumSeed of the file
 */
export const encodeGroup = (records: readonly string[], seed: number): string => {
  const text = records.join(SEPARATOR);
  return `${crc32(text, seed).toString(16).padStart(8, '0')} ${text}\n`;
};

/** The records of all whole lines of a file, and how many lines were something else. */
export const decodeGroups = (text: string, seed: number): { records: string[]; damaged: number } => {
  const records: string[] = [];
  let damaged = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const group = line.slice(9);
    if (line[8] === ' ' && parseInt(line.slice(0, 8), 16) === crc32(group, seed)) records.push(...group.split(SEPARATOR));
    else damaged += 1;
  }
  return { records, damaged };
};
