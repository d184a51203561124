/** Generated tables of 20 columns: 12 measured numbers of different shapes, 4 numbers with few or some values, 4 categories. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { FeatureColumn } from '../../contracts/features.ts';

export type InputColumn = Pick<FeatureColumn, 'name' | 'type'>;

/** A standard normal number by Box and Muller. */
const NORMAL = 'sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())';

/** By column: type, SQL of a reference row, SQL of a current row where it is another. */
const SHAPES: [string, InputColumn['type'], string, string?][] = [
  ['same', 'numeric', NORMAL],
  ['shifted', 'numeric', NORMAL, `${NORMAL} + 0.15`],
  ['wider', 'numeric', NORMAL, `1.1 * ${NORMAL}`],
  ['far', 'numeric', `1e6 + ${NORMAL}`, `1e6 + 0.05 + ${NORMAL}`],
  ['even', 'numeric', 'random()', 'random() * 1.05'],
  ['skewed', 'numeric', `exp(${NORMAL})`],
  ['heavy', 'numeric', `exp(2 * ${NORMAL})`, `exp(2 * ${NORMAL} + 0.2)`],
  ['peaks', 'numeric', `case when random() < 0.5 then 10 else 0 end + ${NORMAL}`, `case when random() < 0.55 then 10 else 0 end + ${NORMAL}`],
  ['zeros', 'numeric', `case when random() < 0.8 then 0 else ${NORMAL} end`],
  ['gaps', 'numeric', `case when random() < 0.1 then null else ${NORMAL} end`, `case when random() < 0.2 then null else ${NORMAL} end`],
  ['waiting', 'numeric', '-ln(1 - random())', '-1.2 * ln(1 - random())'],
  ['triangle', 'numeric', 'random() + random()'],
  ['flag', 'numeric', '(random() < 0.3)::double', '(random() < 0.35)::double'],
  ['stars', 'numeric', 'floor(random() * 5)', 'floor(random() ** 1.1 * 5)'],
  ['age', 'numeric', 'floor(18 + 60 * random())'],
  ['count', 'numeric', 'floor(random() ** 3 * 300)', 'floor(random() ** 2.8 * 300)'],
  ['colour', 'categorical', `['red', 'green', 'blue', 'black', 'white'][1 + floor(random() ** 2 * 5)::int]`],
  ['country', 'categorical', `'country ' || floor(random() ** 2 * 50)::int`, `'country ' || floor(random() ** 1.7 * 50)::int`],
  ['yes', 'categorical', `case when random() < 0.4 then 'yes' else 'no' end`],
  ['product', 'categorical', `'product ' || floor(random() * random() * 300)::int`],
];

export const columns: InputColumn[] = SHAPES.map(([name, type]) => ({ name, type }));

export type Side = 'reference' | 'current';

const withConnection = async (work: (run: (sql: string) => Promise<unknown>) => Promise<void>): Promise<void> => {
  // One thread: the same seed gives the same rows.
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  const connection = await instance.connect();
  try {
    await work((sql) => connection.run(sql));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

const copy = (rows: string, file: string): string => `copy (${rows}) to '${file}' (format parquet, compression snappy)`;

/** Writes so many rows of a side to a Parquet file, the same ones for the same seed. */
export const writeRows = (file: string, { side, rows, seed }: { side: Side; rows: number; seed: number }): Promise<void> =>
  withConnection(async (run) => {
    const select = SHAPES.map(([name, , reference, current]) => `${(side === 'current' ? current : undefined) ?? reference} as "${name}"`);
    await run(`select setseed(${seed / 1_000})`);
    await run(copy(`select ${select.join(', ')} from range(${rows})`, file));
  });

/** Writes as many files as parts, each with the rows of `file` whose measured numbers are moved a little: no number comes twice. */
export const multiplyRows = (file: string, parts: string[]): Promise<void> =>
  withConnection(async (run) => {
    for (const [index, part] of parts.entries()) {
      const select = SHAPES.map(([name, type], column) => (type === 'numeric' && column < 12 ? `"${name}" + ${index} * 1e-7::double as "${name}"` : `"${name}"`));
      await run(copy(`select ${select.join(', ')} from '${file}'`, part));
    }
  });
