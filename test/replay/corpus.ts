/**
 * The committed histories: `<workflow type>-<case>.json`, one execution each, as the plain object of the protobuf message with enums and
 * bytes as text. (The SDK's own historyToJSON needs all of its packages to share one copy of protobufjs, which npm does not promise.)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import type { History } from '../workflows/support/histories.ts';

const folder = fileURLToPath(new URL('histories/', import.meta.url));

const Message = proto.temporal.api.history.v1.History;

export type CorpusEntry = { name: string; workflowType: string; history: History };

export const readCorpus = (): CorpusEntry[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const name = file.slice(0, -'.json'.length);
      return { name, workflowType: name.split('-')[0] ?? '', history: Message.fromObject(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object) };
    });

/** Stack traces hold paths of the machine that recorded them, and replay does not read them. */
const withoutStackTraces = (key: string, value: unknown): unknown => (key === 'stackTrace' ? '' : value);

export const writeHistory = (name: string, history: History): void => {
  const plain = Message.toObject(Message.fromObject(history), { longs: String, enums: String, bytes: String });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(plain, withoutStackTraces, 1)}\n`);
};
