/**
 * Walks the parts of an ONNX file (ModelProto) that can be refused, in every nested subgraph, and describes its inputs and outputs.
 *
 * Field numbers are those of onnx.proto. A singular field that comes twice is merged by Protocol Buffers, so every occurrence is
 * visited: a forbidden part cannot hide behind an innocent one.
 */
import { decodeText, forEachField, textOf, WireFormatError } from './wire-format.ts';

const MODEL = { graph: 7, operatorSet: 8, trainingInfo: 20, functions: 25 };
const OPERATOR_SET = { domain: 1 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 };
const NODE = { name: 3, operator: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
const TENSOR = { name: 8, externalData: 13, dataLocation: 14 };
const SPARSE_TENSOR = { values: 1, indices: 2 };
const VALUE_INFO = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR_TYPE = { elementType: 1, shape: 2 };
const SHAPE = { dimension: 1 };
const DIMENSION = { value: 1 };

const DEEPEST_SUBGRAPH = 16;

/** An input or output: `elementType` is undefined when it is no tensor; `shape` when any is allowed; a free dimension is -1. */
export type ValueDescription = { name: string; elementType: number | undefined; shape: number[] | undefined };

export type ModelVisitor = {
  node(node: { operator: string; domain: string; name: string }): void;
  externalData(tensor: string): void;
  localFunction(): void;
  trainingInfo(): void;
};

/** `domains` are those of the operator sets that the model declares. */
export type ModelInterface = { inputs: ValueDescription[]; outputs: ValueDescription[]; domains: Set<string> };

type Interface = ModelInterface & { initializers: Set<string>; graphs: number };
type Visit = { visitor: ModelVisitor; depth: number };

const isBytes = (value: number | Uint8Array): value is Uint8Array => typeof value !== 'number';

const visitTensor = (tensor: Uint8Array, { visitor }: Visit): void => {
  let external = false;
  forEachField(tensor, (field, value) => {
    if (field === TENSOR.externalData && isBytes(value)) external = true;
    if (field === TENSOR.dataLocation && value !== 0) external = true;
  });
  if (external) visitor.externalData(textOf(tensor, TENSOR.name));
};

const visitSparseTensor = (sparse: Uint8Array, visit: Visit): void =>
  forEachField(sparse, (field, value) => {
    if ((field === SPARSE_TENSOR.values || field === SPARSE_TENSOR.indices) && isBytes(value)) visitTensor(value, visit);
  });

const visitAttribute = (attribute: Uint8Array, visit: Visit): void =>
  forEachField(attribute, (field, value) => {
    if (!isBytes(value)) return;
    if (field === ATTRIBUTE.tensor || field === ATTRIBUTE.tensors) visitTensor(value, visit);
    else if (field === ATTRIBUTE.sparseTensor || field === ATTRIBUTE.sparseTensors) visitSparseTensor(value, visit);
    else if (field === ATTRIBUTE.graph || field === ATTRIBUTE.graphs) visitGraph(value, { ...visit, depth: visit.depth + 1 });
  });

const visitNode = (node: Uint8Array, visit: Visit): void => {
  const text = { operator: '', domain: '', name: '' };
  const attributes: Uint8Array[] = [];
  forEachField(node, (field, value) => {
    if (!isBytes(value)) return;
    if (field === NODE.operator) text.operator = decodeText(value);
    else if (field === NODE.domain) text.domain = decodeText(value);
    else if (field === NODE.name) text.name = decodeText(value);
    else if (field === NODE.attribute) attributes.push(value);
  });
  visit.visitor.node(text);
  for (const attribute of attributes) visitAttribute(attribute, visit);
};

const visitGraph = (graph: Uint8Array, visit: Visit): void => {
  if (visit.depth > DEEPEST_SUBGRAPH) throw new WireFormatError(`subgraphs are nested more than ${DEEPEST_SUBGRAPH} deep`);
  forEachField(graph, (field, value) => {
    if (!isBytes(value)) return;
    if (field === GRAPH.node) visitNode(value, visit);
    else if (field === GRAPH.initializer) visitTensor(value, visit);
    else if (field === GRAPH.sparseInitializer) visitSparseTensor(value, visit);
  });
};

const readDimension = (dimension: Uint8Array): number => {
  let size = -1;
  forEachField(dimension, (field, value) => {
    if (field === DIMENSION.value && !isBytes(value)) size = value;
  });
  return size;
};

const readShape = (shape: Uint8Array): number[] => {
  const sizes: number[] = [];
  forEachField(shape, (field, value) => {
    if (field === SHAPE.dimension && isBytes(value)) sizes.push(readDimension(value));
  });
  return sizes;
};

const readTensorType = (tensorType: Uint8Array, description: ValueDescription): void =>
  forEachField(tensorType, (field, value) => {
    if (field === TENSOR_TYPE.elementType && !isBytes(value)) description.elementType = value;
    if (field === TENSOR_TYPE.shape && isBytes(value)) description.shape = readShape(value);
  });

const readValueInfo = (valueInfo: Uint8Array): ValueDescription => {
  const description: ValueDescription = { name: textOf(valueInfo, VALUE_INFO.name), elementType: undefined, shape: undefined };
  forEachField(valueInfo, (field, type) => {
    if (field !== VALUE_INFO.type || !isBytes(type)) return;
    forEachField(type, (kind, value) => {
      if (kind === TYPE.tensor && isBytes(value)) readTensorType(value, description);
    });
  });
  return description;
};

const readInterface = (graph: Uint8Array, found: Interface): void =>
  forEachField(graph, (field, value) => {
    if (!isBytes(value)) return;
    if (field === GRAPH.input) found.inputs.push(readValueInfo(value));
    else if (field === GRAPH.output) found.outputs.push(readValueInfo(value));
    else if (field === GRAPH.initializer) found.initializers.add(textOf(value, TENSOR.name));
    else if (field === GRAPH.sparseInitializer) {
      forEachField(value, (part, values) => {
        if (part === SPARSE_TENSOR.values && isBytes(values)) found.initializers.add(textOf(values, TENSOR.name));
      });
    }
  });

/**
 * Visits a model and returns its inputs (without those that have a stored value), outputs and operator sets.
 * @throws WireFormatError when the bytes are not a model; whatever the visitor throws
 */
export const visitModel = (model: Uint8Array, visitor: ModelVisitor): ModelInterface => {
  const found: Interface = { inputs: [], outputs: [], domains: new Set(), initializers: new Set(), graphs: 0 };
  forEachField(model, (field, value) => {
    if (!isBytes(value)) return;
    if (field === MODEL.functions) visitor.localFunction();
    else if (field === MODEL.trainingInfo) visitor.trainingInfo();
    else if (field === MODEL.operatorSet) found.domains.add(textOf(value, OPERATOR_SET.domain));
    else if (field === MODEL.graph) {
      found.graphs += 1;
      visitGraph(value, { visitor, depth: 0 });
      readInterface(value, found);
    }
  });
  if (found.graphs === 0) throw new WireFormatError('it has no graph');
  const { outputs, domains } = found;
  return { inputs: found.inputs.filter((input) => !found.initializers.has(input.name)), outputs, domains };
};
