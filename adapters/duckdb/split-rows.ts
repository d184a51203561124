/** Cuts the training rows of a feature set in two by time: how the trials of a search are judged without the held-out rows. */
import type { FeaturesSpec } from '../../contracts/pipeline.ts';
import type { DataEngine } from '../../domain/ports/data-engine.ts';
import { countRows, windowOf, withDatabase, writePart, type Part } from './build-features.ts';
import { literal, type DatabaseSettings } from './database.ts';
import { FEATURE_ROWS } from './feature-rows.ts';
import { RESULT_SCHEMA } from './locked-query.ts';

export type SplitInput = { rowsFile: string; features: FeaturesSpec; last: string; folder: string };

/** The rows keep the order in which the feature set has them. */
const ORDER = 'file_row_number';

/** See the port DataEngine. */
export const splitRows = (settings: DatabaseSettings, { rowsFile, features, last, folder }: SplitInput): ReturnType<DataEngine['splitRows']> =>
  withDatabase(settings, async (connection) => {
    await connection.run(`CREATE SCHEMA ${RESULT_SCHEMA}`);
    await connection.run(`CREATE VIEW ${FEATURE_ROWS} AS SELECT * FROM read_parquet(${literal(rowsFile)}, file_row_number = true)`);
    const split = await windowOf(connection, features, { by: 'time', holdout: { last } });
    const train: Part = { name: 'train', from: split.trainFrom, until: split.holdoutFrom };
    const holdout: Part = { name: 'holdout', from: split.holdoutFrom, until: split.holdoutUntil };
    const trainRows = await countRows(connection, features, train);
    const holdoutRows = await countRows(connection, features, holdout);
    const written = { features, columns: `* EXCLUDE (${ORDER})`, order: ORDER, folder };
    return { split, trainFile: await writePart(connection, train, written), holdoutFile: await writePart(connection, holdout, written), trainRows, holdoutRows };
  });
