/**
 * The process that ships the prediction log: each closed file becomes one Parquet segment per model in the artifact store and a
 * row in the database; only then the file is given up. Doing it again is harmless, so a file that was cut short by anything is simply
 * done again. While store or database are away the files stay, and nothing that was acknowledged is lost.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino, type Logger } from 'pino';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { connectDatabase } from '../adapters/postgres/client.ts';
import { createGatewayControl } from '../adapters/postgres/gateway-control.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { GatewayControl } from '../domain/ports/deployments.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { readConfig } from '../workers/config.ts';
import { openWhenNeeded } from './lazy-store.ts';
import { checksumSeed, listClosed, retire } from './log-folder.ts';
import { decodeGroups } from './log-record.ts';
import { openSegmentWriter, type SegmentWriter } from './segment-file.ts';
import { segmentRows, type SegmentRow } from './segment-rows.ts';
import type { ShipperRequest } from './shipper-process.ts';

const LOOK_MS = 250;
const RETRY_MS = 2_000;

type Parts = { folder: string; gatewayId: string; store: () => ArtifactStore; control: Pick<GatewayControl, 'recordSegment'>; writer: SegmentWriter; log: Logger };

const countByVersion = (rows: readonly SegmentRow[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { version } of rows) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
};

const instantOf = (rows: readonly SegmentRow[], pick: (...values: number[]) => number): string => new Date(rows.reduce((at, row) => pick(at, row.atMs), rows[0]?.atMs ?? 0)).toISOString();

const shipFile = async (parts: Parts, name: string): Promise<void> => {
  const { records, damaged } = decodeGroups(await readFile(join(parts.folder, name), 'utf8'), checksumSeed(name));
  if (damaged > 0) parts.log.warn({ file: name, damaged }, 'lines that a crash cut off, or that are of an earlier file, were dropped: their answers never left');
  for (const [model, rows] of segmentRows(records)) {
    // One name, written over each time: a killed shipper leaves no litter.
    const file = join(parts.folder, 'segment.parquet');
    await parts.writer.write(rows, file);
    const artifact = await parts.store().putFile(file);
    await parts.control.recordSegment({
      segmentId: `${parts.gatewayId}/${name}/${model}`,
      gatewayId: parts.gatewayId,
      model,
      artifact,
      rows: rows.length,
      rowsByVersion: countByVersion(rows),
      firstAt: instantOf(rows, Math.min),
      lastAt: instantOf(rows, Math.max),
    });
  }
  await retire(parts.folder, name);
};

const isOutage = (error: unknown): boolean => error instanceof PerennialFailure && error.retryable;

/**
 * Ships all closed files, oldest first; gives the last error, after which it must be tried again later. In an outage the first
 * error ends the round; a file that is itself the trouble stays, and does not keep the others back.
 */
const shipAll = async (parts: Parts): Promise<string | undefined> => {
  let trouble: string | undefined;
  try {
    for (const name of await listClosed(parts.folder)) {
      await shipFile(parts, name).catch((error: Error) => {
        if (isOutage(error)) throw error;
        trouble = `${name}: ${error.message}`;
      });
    }
  } catch (error) {
    trouble = (error as Error).message;
  }
  return trouble;
};

/** Says once what the trouble is, not at every try. */
const createTroubleLog = (log: Logger): ((trouble: string | undefined) => void) => {
  let last: string | undefined;
  return (trouble) => {
    if (trouble !== last && trouble !== undefined) log.warn(`the prediction log cannot be shipped yet: ${trouble}`);
    if (trouble === undefined && last !== undefined) log.info('the prediction log is shipped again');
    last = trouble;
  };
};

const main = async (): Promise<void> => {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('the folder of the prediction log is missing');
  const config = readConfig();
  const { database } = connectDatabase(config.postgres.url, { connections: 1 });
  const parts: Parts = {
    folder,
    gatewayId: config.gatewayId,
    store: openWhenNeeded(() => createArtifactStore(config.artifactStore)),
    control: createGatewayControl({ database, url: config.postgres.url }),
    writer: await openSegmentWriter(),
    log: pino({ level: config.logLevel, name: 'log-shipper' }),
  };
  const tell = createTroubleLog(parts.log);
  let isFinishing = false;
  const wake = new AbortController();
  process.on('message', (request: ShipperRequest) => {
    isFinishing = request.type === 'finish';
    wake.abort();
  });
  // The gateway may have died while this process was starting: nobody would be told of that any more.
  while (process.connected) {
    const isLast = isFinishing;
    const trouble = await shipAll(parts);
    tell(trouble);
    if (isLast) break;
    await delay(trouble === undefined ? LOOK_MS : RETRY_MS, undefined, { signal: wake.signal }).catch(() => undefined);
  }
  await rm(join(folder, 'segment.parquet'), { force: true });
  process.exit(0);
};

process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
await main();
