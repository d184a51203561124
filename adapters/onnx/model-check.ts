/**
 * What an ONNX file must be before it is loaded: self-contained, of known operators, bounded, and with the inputs and outputs of
 * its signature. It reads the file itself, because a runtime that has loaded a hostile model has already been attacked.
 *
 * What the bytes cannot show (a graph that is slow or asks for much memory) is bounded where models run, by deadline and limit.
 */
import type { Datatype, ModelSignature, SignatureTensor } from '../../contracts/features.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { visitModel, type ModelInterface, type ModelVisitor, type ValueDescription } from './model-proto.ts';
import { refusalOf } from './operators.ts';
import { WireFormatError } from './wire-format.ts';

export const MOST_NODES = 100_000;
/** Protocol Buffers end at 2 GiB. */
export const MOST_BYTES = 2 ** 31 - 1;

/** Element types of onnx.proto. */
const ELEMENT_TYPES = { FP32: 1, UINT8: 2, INT8: 3, UINT16: 4, INT16: 5, INT32: 6, INT64: 7, BYTES: 8, BOOL: 9, FP64: 11, UINT32: 12, UINT64: 13 } as const satisfies Record<Datatype, number>;

const refuse = (message: string, fix?: string): never => {
  throw new PerennialFailure('ModelRefused', message, fix === undefined ? {} : { fix });
};

/** A name out of the model, safe to show. */
const shown = (name: string): string => `"${name.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}"`;

/** `usedDomains` gets the domains of all nodes. */
const checkingVisitor = (usedDomains: Set<string>): ModelVisitor => {
  let nodes = 0;
  return {
    node: ({ operator, domain, name }) => {
      nodes += 1;
      if (nodes > MOST_NODES) refuse(`The model has more than ${MOST_NODES} nodes.`);
      const reason = refusalOf(domain, operator);
      if (reason !== undefined) refuse(`The model uses the operator ${shown(operator)}${name === '' ? '' : ` (node ${shown(name)})`}: ${reason}.`);
      usedDomains.add(domain);
    },
    externalData: (tensor) => refuse(`The tensor ${shown(tensor)} keeps its data outside the model file.`, 'Save the model as one file, with its data inside.'),
    localFunction: () => refuse('The model defines functions of its own.', 'Inline them, for example with onnx.inliner.inline_local_functions.'),
    trainingInfo: () => refuse('The model holds training information.', 'Export it for inference.'),
  };
};

const datatypeOf = (description: ValueDescription): string => {
  if (description.elementType === undefined) return 'no tensor';
  const known = Object.entries(ELEMENT_TYPES).find(([, code]) => code === description.elementType);
  return known?.[0] ?? `ONNX element type ${description.elementType}`;
};

const checkType = (what: string, tensor: SignatureTensor, description: ValueDescription): void => {
  if (description.elementType !== ELEMENT_TYPES[tensor.datatype]) {
    refuse(`The ${what} ${shown(tensor.name)} is ${tensor.datatype} in the signature and ${datatypeOf(description)} in the model.`);
  }
  if (description.shape !== undefined && description.shape.length !== tensor.shape.length) {
    refuse(`The ${what} ${shown(tensor.name)} has ${tensor.shape.length} dimensions in the signature and ${description.shape.length} in the model.`);
  }
};

/** Converters declare wrong sizes for outputs (onnxmltools says [1] for labels), so these are checked on real answers only. */
const checkInputShape = (tensor: SignatureTensor, { shape }: ValueDescription): void => {
  shape?.forEach((size, position) => {
    if (size === -1 || size === tensor.shape[position]) return;
    refuse(
      `The input ${shown(tensor.name)} has the shape [${tensor.shape.join(', ')}] in the signature and [${shape.join(', ')}] in the model.`,
      'Leave the first dimension free (rows), and let the others agree.',
    );
  });
};

const checkSignatureTensors = (what: string, tensors: SignatureTensor[]): void => {
  const names = new Set<string>();
  for (const { name, shape } of tensors) {
    if (names.has(name)) refuse(`The signature names the ${what} ${shown(name)} twice.`);
    names.add(name);
    if (shape[0] !== -1 || shape.slice(1).some((size) => size < 1)) {
      refuse(`The ${what} ${shown(name)} has the shape [${shape.join(', ')}] in the signature.`, 'The first dimension counts rows (-1), the others are fixed and at least 1.');
    }
  }
};

const checkInputs = (signature: ModelSignature, inputs: ValueDescription[]): void => {
  const byName = new Map(inputs.map((input) => [input.name, input]));
  for (const tensor of signature.inputs) {
    const description = byName.get(tensor.name);
    if (description === undefined) return refuse(`The signature has the input ${shown(tensor.name)}, which the model has not.`);
    checkType('input', tensor, description);
    checkInputShape(tensor, description);
    byName.delete(tensor.name);
  }
  for (const name of byName.keys()) refuse(`The model has the input ${shown(name)}, which the signature has not.`);
};

const checkOutputs = (signature: ModelSignature, outputs: ValueDescription[]): void => {
  for (const tensor of signature.outputs) {
    const description = outputs.find((output) => output.name === tensor.name);
    if (description === undefined) return refuse(`The signature has the output ${shown(tensor.name)}, which the model has not.`);
    checkType('output', tensor, description);
  }
};

/** "ai.onnx" is the long name of the domain "". */
const shortName = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

const checkDomains = (used: Set<string>, declared: Set<string>): void => {
  const known = new Set([...declared].map(shortName));
  const absent = [...used].find((domain) => !known.has(shortName(domain)));
  if (absent !== undefined) refuse(`The model declares no operator set for the domain "${absent === '' ? 'ai.onnx' : absent}" that it uses; it may be cut short.`);
};

const readModel = (model: Uint8Array): ModelInterface => {
  const usedDomains = new Set<string>();
  try {
    const read = visitModel(model, checkingVisitor(usedDomains));
    checkDomains(usedDomains, read.domains);
    return read;
  } catch (error) {
    if (!(error instanceof WireFormatError)) throw error;
    throw new PerennialFailure('ModelRefused', `The file is no ONNX model, or it is damaged: ${error.message}.`, { cause: error });
  }
};

/**
 * Checks a model file and its signature. Takes time in proportion to the number of nodes, not to the size of the weights.
 * @throws PerennialFailure ModelRefused with what is wrong
 */
export const checkModel = (model: Uint8Array, signature: ModelSignature): void => {
  if (model.byteLength > MOST_BYTES) refuse(`The model has ${model.byteLength} bytes: at most ${MOST_BYTES} are allowed.`);
  checkSignatureTensors('input', signature.inputs);
  checkSignatureTensors('output', signature.outputs);
  const { inputs, outputs } = readModel(model);
  checkInputs(signature, inputs);
  checkOutputs(signature, outputs);
};
