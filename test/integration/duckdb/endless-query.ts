/** A query that lasts until its process is ended. */
import { FeaturesSpec } from '../../../contracts/pipeline.ts';

export const ENDLESS = FeaturesSpec.parse({
  sql: 'SELECT count(*) AS n FROM rows a, rows b, rows c, rows d WHERE a.id + b.id + c.id <> d.id',
  identity: ['n'],
  eventTime: 'n',
  label: 'n',
  columns: [{ name: 'n', type: 'numeric' }],
});
