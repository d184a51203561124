/** Writes what a model gave to the rows of a file: their identity beside the score, in their order, by one writer: the same rows are the same bytes. */
import { DuckDBInstance } from '@duckdb/node-api';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const writeScores = async ({ rowsFile, identity, scores, file }: { rowsFile: string; identity: readonly string[]; scores: Float64Array; file: string }): Promise<void> => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB', autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    await connection.run('CREATE TABLE scores (score DOUBLE)');
    const appender = await connection.createAppender('scores');
    for (const score of scores) {
      appender.appendDouble(score);
      appender.endRow();
    }
    appender.closeSync();
    const names = identity.map(quote).join(', ');
    await connection.run(`COPY (SELECT ${names}, score FROM (SELECT ${names} FROM read_parquet(${literal(rowsFile)})) POSITIONAL JOIN scores) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};
