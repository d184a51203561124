import { describe, expect, it } from 'vitest';
import type { ModelSignature } from '../../../contracts/features.ts';
import { checkModel, MOST_NODES } from '../../../adapters/onnx/model-check.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { seededRandom } from '../../../domain/random.ts';
import { matrixSignature, namedSignature, readModel, signatureOf, simpleSignature, tensor } from './fixtures.ts';

const refusal = (model: Uint8Array, signature: ModelSignature): string => {
  try {
    checkModel(model, signature);
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'ModelRefused') return error.message;
    throw error;
  }
  return 'accepted';
};

const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]);
/** One field of a message, by hand. */
const field = (number: number, content: number[] | string): number[] => {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
};
const modelOf = (graph: number[]): Uint8Array => Uint8Array.from(field(7, graph));
const nodeOf = (operator: string, domain = '', attributes: number[] = []): number[] => field(1, [...field(4, operator), ...field(7, domain), ...attributes]);

describe('checkModel accepts', () => {
  it.each([
    ['one input per column, text among them', 'named', namedSignature],
    ['LightGBM by onnxmltools', 'trees', matrixSignature('input')],
    ['scikit-learn by skl2onnx', 'linear', matrixSignature('X')],
    ['doubles', 'doubles', signatureOf([tensor('x', 'FP64')], [tensor('score', 'FP64')])],
    ['integers of rank 1', 'integers', signatureOf([tensor('n', 'INT64', [-1])], [tensor('score', 'FP32', [-1])])],
    ['a signature with fewer outputs', 'trees', signatureOf([tensor('input', 'FP32', [-1, 30])], [tensor('probabilities', 'FP32', [-1, 2])])],
  ])('%s', (_, name, signature) => {
    expect(refusal(readModel(name), signature)).toBe('accepted');
  });
});

describe('checkModel refuses', () => {
  it.each([
    'external-initializer',
    'external-without-location',
    'external-constant',
    'external-attribute-tensors',
    'external-sparse-initializer',
    'external-subgraph',
  ])('data outside the file: %s', (name) => {
    expect(refusal(readModel(name), simpleSignature)).toBe('The tensor "weights" keeps its data outside the model file.');
  });

  it.each([
    ['loop', 'The model uses the operator "Loop": it may never end; unroll it.'],
    ['scan', 'The model uses the operator "Scan": it may never end; unroll it.'],
    ['random', 'The model uses the operator "RandomUniformLike": its answers are random.'],
    ['other-domain', 'The model uses the operator "Gelu": its domain is "com.microsoft": only ai.onnx and ai.onnx.ml are allowed.'],
    ['unknown-operator', 'The model uses the operator "RunShell": it is not an operator of ai.onnx or ai.onnx.ml that Perennial allows.'],
    ['function', 'The model uses the operator "Double": its domain is "mine": only ai.onnx and ai.onnx.ml are allowed.'],
    ['training-info', 'The model holds training information.'],
  ])('%s', (name, message) => {
    expect(refusal(readModel(name), simpleSignature)).toBe(message);
  });

  it('functions that take the name of a known operator', () => {
    expect(refusal(Uint8Array.from([...field(25, field(1, 'Relu')), ...modelOf([])]), simpleSignature)).toBe('The model defines functions of its own.');
  });

  it('a second graph that hides behind an innocent one', () => {
    expect(refusal(Uint8Array.from([...readModel('identity'), ...modelOf(nodeOf('Loop'))]), simpleSignature)).toContain('"Loop"');
  });

  it('a domain that only looks empty', () => {
    expect(refusal(modelOf(nodeOf('Identity', '\ufeff')), simpleSignature)).toContain('its domain is');
  });

  it('more nodes than allowed', () => {
    const node = nodeOf('Identity');
    const graph = new Uint8Array(node.length * (MOST_NODES + 1));
    for (let index = 0; index <= MOST_NODES; index += 1) graph.set(node, index * node.length);
    const model = Uint8Array.from([...varint(7 * 8 + 2), ...varint(graph.length)]);
    expect(refusal(Buffer.concat([model, graph]), simpleSignature)).toBe(`The model has more than ${MOST_NODES} nodes.`);
  });

  it('more than 2 GiB, without reading them', () => {
    expect(refusal({ byteLength: 2 ** 31 } as Uint8Array, simpleSignature)).toBe('The model has 2147483648 bytes: at most 2147483647 are allowed.');
  });

  it('subgraphs that are nested without end', () => {
    let graph = nodeOf('Identity');
    for (let depth = 0; depth < 40; depth += 1) graph = nodeOf('If', '', field(5, field(6, graph)));
    expect(refusal(modelOf(graph), simpleSignature)).toContain('nested more than 16 deep');
  });

  it.each([
    ['nothing', ''],
    ['text', 'import pickle'],
    ['a pickle', '\x80\x04\x95\x10\x00\x00\x00'],
    ['a Parquet file', 'PAR1\x15\x04\x15'],
  ])('what is no model: %s', (_, text) => {
    expect(refusal(new Uint8Array(Buffer.from(text, 'latin1')), simpleSignature)).toContain('The file is no ONNX model, or it is damaged');
  });

  it('a model cut short at any byte', () => {
    const model = readModel('named');
    for (let length = 0; length < model.length; length += 1) expect(refusal(model.subarray(0, length), namedSignature)).not.toBe('accepted');
  });
});

describe('checkModel compares with the signature', () => {
  it.each([
    ['an absent input', signatureOf([tensor('x'), tensor('y')]), 'The signature has the input "y", which the model has not.'],
    ['an input by another name', signatureOf([tensor('z')]), 'The signature has the input "z", which the model has not.'],
    ['an input of another type', signatureOf([tensor('x', 'INT64')]), 'The input "x" is INT64 in the signature and FP32 in the model.'],
    ['an input of another rank', signatureOf([tensor('x', 'FP32', [-1])]), 'The input "x" has 1 dimensions in the signature and 2 in the model.'],
    ['an input of another width', signatureOf([tensor('x', 'FP32', [-1, 2])]), 'The input "x" has the shape [-1, 2] in the signature and [-1, 1] in the model.'],
    ['a fixed number of rows', signatureOf([tensor('x', 'FP32', [1, 1])]), 'The input "x" has the shape [1, 1] in the signature.'],
    ['a name twice', signatureOf([tensor('x'), tensor('x')]), 'The signature names the input "x" twice.'],
    ['an absent output', signatureOf([tensor('x')], [tensor('probability')]), 'The signature has the output "probability", which the model has not.'],
    ['an output of another type', signatureOf([tensor('x')], [tensor('score', 'FP64')]), 'The output "score" is FP64 in the signature and FP32 in the model.'],
  ])('%s', (_, signature, message) => {
    expect(refusal(readModel('identity'), signature)).toBe(message);
  });

  it('an input that the signature leaves out', () => {
    expect(refusal(readModel('named'), signatureOf([tensor('hour'), tensor('wind')]))).toBe('The model has the input "carrier", which the signature has not.');
  });

  it('a model that takes one row only', () => {
    expect(refusal(readModel('one-row'), simpleSignature)).toBe('The input "x" has the shape [-1, 1] in the signature and [1, 1] in the model.');
  });
});

describe('500 mutated models', () => {
  it('are accepted or refused, and nothing else happens', () => {
    const random = seededRandom(20_130_401);
    const below = (bound: number): number => Math.floor(random() * bound);
    const originals = [['named', namedSignature], ['trees', matrixSignature('input')], ['external-subgraph', simpleSignature]] as const;
    const outcomes = { accepted: 0, refused: 0 };
    for (let trial = 0; trial < 500; trial += 1) {
      const [name, signature] = originals[trial % originals.length]!;
      const model = readModel(name);
      for (let change = 0; change <= below(8); change += 1) model[below(model.length)] = below(256);
      const cut = trial % 5 === 0 ? model.subarray(0, below(model.length)) : model;
      outcomes[refusal(cut, signature) === 'accepted' ? 'accepted' : 'refused'] += 1;
    }
    expect(outcomes.accepted + outcomes.refused).toBe(500);
    expect(outcomes.refused).toBeGreaterThan(100);
  });
});
