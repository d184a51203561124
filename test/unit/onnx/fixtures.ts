/** The committed models and rows of the ONNX tests (fixtures/make_models.py makes them) and their signatures. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ModelSignature, type Datatype } from '../../../contracts/features.ts';
import { FeaturesSpec } from '../../../contracts/pipeline.ts';

export const fixturePath = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

export const readModel = (name: string): Uint8Array => new Uint8Array(readFileSync(fixturePath(`${name}.onnx`)));

export const tensor = (name: string, datatype: Datatype = 'FP32', shape = [-1, 1], missing: 'allowed' | 'forbidden' = 'forbidden') => ({ name, datatype, shape, missing });

type Tensor = ReturnType<typeof tensor>;
export const signatureOf = (inputs: Tensor[], outputs: Tensor[] = [tensor('score')]): ModelSignature => ModelSignature.parse({ task: 'binaryClassification', inputs, outputs });

/** x in, score out: the layout of every small model. */
export const simpleSignature = signatureOf([tensor('x')]);

export const namedSignature = signatureOf([tensor('hour'), tensor('wind', 'FP32', [-1, 1], 'allowed'), tensor('carrier', 'BYTES', [-1, 1], 'allowed')]);

export const namedFeatures = FeaturesSpec.parse({
  sql: 'SELECT 1',
  identity: ['id'],
  eventTime: 'moment',
  label: 'late',
  columns: [
    { name: 'hour', type: 'numeric' },
    { name: 'wind', type: 'numeric', missing: 'allowed' },
    { name: 'carrier', type: 'categorical', missing: 'allowed' },
  ],
});

/** The bench's layout: one input of 30 columns; label and the probabilities of both classes out. */
export const matrixSignature = (input: string): ModelSignature =>
  signatureOf([tensor(input, 'FP32', [-1, 30])], [tensor('label', 'INT64', [-1]), tensor('probabilities', 'FP32', [-1, 2])]);

export const matrixFeatures = FeaturesSpec.parse({
  sql: 'SELECT 1',
  identity: ['moment'],
  eventTime: 'moment',
  label: 'label',
  columns: Array.from({ length: 30 }, (_, index) => ({ name: `f${index}`, type: 'numeric' })),
});
