/** A monitored model on real PostgreSQL, a real store and real segments: what the tests of the monitor share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { createMonitorActivities } from '../../../../activities/monitor.ts';
import { columnDistributions } from '../../../../adapters/duckdb/column-distributions.ts';
import { createPredictionLog } from '../../../../adapters/monitoring/prediction-log.ts';
import { createArtifactStore } from '../../../../adapters/objectstore/index.ts';
import { createScratch } from '../../../../adapters/objectstore/scratch.ts';
import { createGatewayControl } from '../../../../adapters/postgres/gateway-control.ts';
import { createInputRefusals } from '../../../../adapters/postgres/input-refusals.ts';
import { createModelRegistry } from '../../../../adapters/postgres/model-registry.ts';
import { createMonitorWindows } from '../../../../adapters/postgres/monitor-windows.ts';
import { createPredictionSegments } from '../../../../adapters/postgres/prediction-segments.ts';
import type { ColumnDistribution, FeatureSetManifest } from '../../../../contracts/features.ts';
import type { MonitorSpec, MonitorWindow } from '../../../../contracts/monitor.ts';
import type { QualityReference } from '../../../../contracts/quality.ts';
import { distributionOfValues } from '../../../../domain/drift/binning.ts';
import { runActivity } from '../../../support/activity.ts';
import { startTestPostgres, type TestDatabase } from '../../../support/database.ts';
import { artifactOf, evaluationReport, lineage, registration } from '../../../support/fakes.ts';

/** Version 1 gave it, unless it says otherwise. */
export type LoggedRow = { id: string; inputs: Record<string, unknown>; version?: number; score: number; at?: Date };
export type SentLabel = { id: string; label: number; receivedAt?: Date };

const MODEL = 'flights';

/** Distances from 0 to 10, carriers AA and B6. */
const tens: ColumnDistribution[] = [
  distributionOfValues('distance', Float64Array.from({ length: 101 }, (_, row) => row / 10)),
  { type: 'categorical', column: 'carrier', categories: ['AA', 'B6'], counts: [60, 41, 0], missing: 0 },
];

/** @param reference distributions of the columns `distance` and `carrier` in the training rows */
export const startMonitorRig = async (reference: ColumnDistribution[] = tens) => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-monitor-'));
  const artifacts = createArtifactStore({ kind: 'local', folder: join(folder, 'artifacts') });
  const duckdb = await DuckDBInstance.create(':memory:');
  const connection: DuckDBConnection = await duckdb.connect();
  const postgres = await startTestPostgres();
  let test: TestDatabase;
  let segments = 0;

  const register = async (quality: QualityReference | undefined): Promise<void> => {
    const manifest = {
      version: 'f', sqlHash: 's', datasetVersion: 'd', split: { trainFrom: '', holdoutFrom: '', holdoutUntil: '' }, identity: ['id'], eventTime: 'at', label: 'late',
      columns: [{ name: 'distance', type: 'numeric', missing: 'allowed' }, { name: 'carrier', type: 'categorical', missing: 'allowed' }],
      train: artifactOf('train'), holdout: artifactOf('holdout'), trainRows: 100, holdoutRows: 10, reference,
    } satisfies FeatureSetManifest;
    const stored = await artifacts.put(Buffer.from(JSON.stringify(manifest)));
    const report = quality === undefined ? artifactOf('gone') : await artifacts.put(Buffer.from(JSON.stringify({ quality })));
    await createModelRegistry(test.database).registerVersion({ ...registration('flights.r1'), evaluation: { ...evaluationReport(0.9), report }, lineage: lineage('flights.r1', stored) });
  };

  const predictions = () => createPredictionLog({ artifacts, scratch: createScratch(join(folder, 'scratch')), countColumns: columnDistributions, ...createPredictionSegments(test.database) });

  return {
    artifacts,
    predictions,
    database: () => test.database,
    control: () => createGatewayControl({ database: test.database, url: test.url }),
    /** A fresh database with version 1, which was judged with these references. */
    begin: async (quality?: QualityReference) => {
      test = await postgres.createDatabase();
      await register(quality);
    },
    end: () => test.drop(),
    /** The activities of a fresh worker. */
    worker: () => {
      const ports = { registry: createModelRegistry(test.database), windows: createMonitorWindows(test.database), refusals: createInputRefusals(test.database), artifacts, predictions: predictions() };
      const { evaluateMonitorWindows } = createMonitorActivities(ports);
      return (spec: MonitorSpec, nextWindow: number, attempt = 1) => runActivity(evaluateMonitorWindows, { model: MODEL, version: 1, spec, nextWindow }, { attempt });
    },
    /** Ships rows as a gateway does; a row a second unless it says when. Without an id it is a segment of its own. */
    ship: async (rows: LoggedRow[], segmentId = `segment-${(segments += 1)}`): Promise<void> => {
      const path = join(folder, `${segmentId}.parquet`);
      await connection.run('create or replace table segment (inference_id varchar, "at" timestamp, version int, role varchar, generation bigint, latency_ms double, fell_back_from int, inputs varchar, outputs varchar)');
      for (const [index, { id, inputs, version = 1, score, at = new Date(Date.UTC(2013, 4, 1, 0, 0, index)) }] of rows.entries()) {
        await connection.run(`insert into segment values ($id, $at::timestamp, $version, 'stable', 1, 1.5, null, $inputs, $outputs)`, {
          id, version, at: at.toISOString().replace('Z', ''), inputs: JSON.stringify(inputs), outputs: JSON.stringify({ score, label: score >= 0.5 ? 1 : 0 }),
        });
      }
      await connection.run(`copy segment to '${path}' (format parquet)`);
      const rowsByVersion: Record<string, number> = {};
      for (const { version = 1 } of rows) rowsByVersion[version] = (rowsByVersion[version] ?? 0) + 1;
      const times = { firstAt: '2013-05-01T00:00:00Z', lastAt: '2013-05-01T00:01:00Z' };
      const control = createGatewayControl({ database: test.database, url: test.url });
      await control.recordSegment({ segmentId, gatewayId: 'gateway-1', model: MODEL, artifact: await artifacts.putFile(path), rows: rows.length, rowsByVersion, ...times });
    },
    /** Stores labels as the API does: the first of an inference stands. */
    label: async (labels: SentLabel[]): Promise<void> => {
      const rows = labels.map(({ id, label, receivedAt }) => ({ model: MODEL, inference_id: id, label, ...(receivedAt === undefined ? {} : { received_at: receivedAt }) }));
      await test.database.insertInto('labels').values(rows).onConflict((conflict) => conflict.doNothing()).execute();
    },
    /** The saved reports, with what the detector read. */
    saved: async (): Promise<MonitorWindow[]> => {
      const rows = await test.database.selectFrom('monitor_windows').select(['report', 'concept']).orderBy('window_number').execute();
      return rows.map(({ report, concept }) => ({ ...(report as MonitorWindow), concept: (concept as { report: MonitorWindow['concept'] } | null)?.report ?? null }));
    },
    stop: async () => {
      connection.closeSync();
      duckdb.closeSync();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
