/** Whether one model can stand in for another: what its callers send and get. */
import type { ModelSignature, SignatureTensor } from '../contracts/features.ts';

const compare = (what: string, own: readonly SignatureTensor[], other: readonly SignatureTensor[]): string[] => [
  ...own.filter(({ name }) => !other.some((tensor) => tensor.name === name)).map(({ name }) => `${what} "${name}" is new`),
  ...other.flatMap((tensor) => {
    const found = own.find(({ name }) => name === tensor.name);
    if (found === undefined) return [`${what} "${tensor.name}" is gone`];
    return [
      ...(found.datatype === tensor.datatype ? [] : [`${what} "${tensor.name}" is ${found.datatype}, it was ${tensor.datatype}`]),
      ...(found.shape.join() === tensor.shape.join() ? [] : [`${what} "${tensor.name}" has the shape [${found.shape.join(', ')}], it was [${tensor.shape.join(', ')}]`]),
      ...(found.missing === 'allowed' || tensor.missing === 'forbidden' ? [] : [`${what} "${tensor.name}" may not be missing any more`]),
    ];
  }),
];

/** What is different in a signature, in words; empty when callers of the other notice nothing. */
export const signatureDifferences = (own: ModelSignature, other: ModelSignature): string[] => [
  ...(own.task === other.task ? [] : [`the task is ${own.task}, it was ${other.task}`]),
  ...compare('the input', own.inputs, other.inputs),
  ...compare('the output', own.outputs, other.outputs),
];
