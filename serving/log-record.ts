/**
 * Lines of the prediction log: `<crc32 of the JSON, 8 hex digits> <JSON>\n`. A line that a crash cut off does not match its checksum, and
 * neither does one of an earlier file in the same blocks.
 * A file names each version before its first record, so that it can be read by itself.
 */
import { crc32 } from 'node:zlib';
import type { ServingRole } from '../contracts/deployment.ts';
import type { SignatureTensor } from '../contracts/features.ts';
import type { InferenceValue } from '../domain/inference.ts';

/** Tells names and widths of the columns of a version's records. */
export type VersionLine = { kind: 'version'; model: string; version: number; inputs: SignatureTensor[]; outputs: SignatureTensor[] };

/**
 * One answered request. `at` is in milliseconds since the epoch; `inputs` and `outputs` are in the order of the signature, flat and row-major,
 * as the client sent and got them. `fellBackFrom` is the version that owed the answer and did not give it.
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
  inputs: InferenceValue[][];
  outputs: InferenceValue[][];
  latencyMs: number;
  fellBackFrom?: number;
};

/** @param seed checksumSeed of the file */
export const encodeLine = (json: string, seed: number): string => `${crc32(json, seed).toString(16).padStart(8, '0')} ${json}\n`;

/** The JSON texts of all whole lines of a file, and how many pieces were something else. */
export const decodeLines = (text: string, seed: number): { lines: string[]; damaged: number } => {
  const lines: string[] = [];
  let damaged = 0;
  for (const piece of text.split('\n')) {
    if (piece === '') continue;
    const json = piece.slice(9);
    if (piece[8] === ' ' && parseInt(piece.slice(0, 8), 16) === crc32(json, seed)) lines.push(json);
    else damaged += 1;
  }
  return { lines, damaged };
};
