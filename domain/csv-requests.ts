/**
 * Inference requests as CSV, as MLflow's and SageMaker's scoring servers take them: a line of column names, unless the client says that there is none, and a line
 * per row. Values become what the signature wants; what cannot is left as it is, and the reader refuses it by its place.
 */
import type { ModelSignature, SignatureTensor } from '../contracts/features.ts';
import { parseCsv, type CsvCell } from './csv.ts';
import { MAX_ROWS } from './inference.ts';
import { fromSplit } from './row-requests.ts';
import { widthOf } from './tensor-columns.ts';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const TRUTHS: Record<string, boolean> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

/** Missing numbers are empty or NaN, as pandas writes them. */
const numberOf = (cell: CsvCell): unknown => {
  const text = cell?.trim() ?? '';
  if (text === '' || text === 'NaN' || text === 'nan') return null;
  return NUMBER.test(text) ? Number(text) : cell;
};

const valueOf = ({ datatype }: SignatureTensor, cell: CsvCell): unknown => {
  if (cell === null || datatype === 'BYTES') return cell;
  if (datatype === 'BOOL') return Object.hasOwn(TRUTHS, cell.trim()) ? TRUTHS[cell.trim()] : cell;
  return numberOf(cell);
};

/** Without names the columns are those of the signature in its order; the values of a model's only input need none. */
const namesOf = ({ inputs }: ModelSignature, width: number): string[] => {
  const [only] = inputs;
  return inputs.length === 1 && only !== undefined && widthOf(only) === width ? Array.from({ length: width }, (_, index) => (width === 1 ? only.name : `column ${index}`)) : inputs.map(({ name }) => name);
};

type Cells = CsvCell | CsvCell[];

/**
 * The body of the same request in V2.
 * @throws PerennialFailure MalformedBody, or InferenceRefused that names the place
 */
export const fromCsv = (text: string, signature: ModelSignature, { hasHeader }: { hasHeader: boolean }): { inputs: object[] } => {
  const [first = [], ...others] = parseCsv(text, MAX_ROWS + 1);
  const columns = hasHeader ? first.map((cell) => cell ?? '') : namesOf(signature, first.length);
  const data = hasHeader || first.length === 0 ? others : [first, ...others];
  const inputs = fromSplit({ columns, data }, signature, 'csv') as { name: string; data: Cells[] }[];
  return {
    inputs: inputs.map((input) => {
      const tensor = signature.inputs.find(({ name }) => name === input.name) as SignatureTensor;
      return { ...input, data: input.data.flatMap((cells): unknown[] => (Array.isArray(cells) ? cells.map((cell) => valueOf(tensor, cell)) : [valueOf(tensor, cells)])) };
    }),
  };
};
