/** Stands for a worker in the test that kills one: runs a query without end. Arguments: a scratch folder, a Parquet file. */
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { ENDLESS } from './endless-query.ts';

const [, , folder = '', file = ''] = process.argv;
const engine = createDataEngine({ scratchFolder: folder, memoryLimit: '256MB', threads: 1 });
await engine.buildFeatures({ tables: [{ name: 'rows', format: 'parquet', files: [file] }], features: ENDLESS, split: { by: 'time', holdout: { last: 'P1D' } }, folder });
