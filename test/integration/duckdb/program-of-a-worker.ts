/** Stands for a worker in the test that kills one: runs a query without end. Arguments: a scratch folder, a Parquet file. */
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { FeaturesSpec } from '../../../contracts/pipeline.ts';

const [, , folder = '', file = ''] = process.argv;
const engine = createDataEngine({ scratchFolder: folder, memoryLimit: '256MB', threads: 1 });
const features = FeaturesSpec.parse({
  sql: 'SELECT count(*) AS n FROM rows a, rows b, rows c, rows d WHERE a.id + b.id + c.id <> d.id',
  identity: ['n'],
  eventTime: 'n',
  label: 'n',
  columns: [{ name: 'n', type: 'numeric' }],
});
await engine.buildFeatures({ tables: [{ name: 'rows', format: 'parquet', files: [file] }], features, split: { by: 'time', holdout: { last: 'P1D' } }, folder });
