import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModelRuntime, type ModelRuntimeOptions } from '../../../adapters/onnx/model-runtime.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { seededRandom } from '../../../domain/random.ts';
import { fixturePath, matrixFeatures, matrixSignature, namedFeatures, namedSignature, readModel, signatureOf, simpleSignature, tensor } from '../../unit/onnx/fixtures.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-onnx-'));
});
afterAll(async () => {
  const left = await readdir(root);
  await rm(root, { recursive: true, force: true });
  expect(left.filter((name) => name.startsWith('model'))).toEqual([]);
});

const scratch: ModelRuntimeOptions['scratch'] = async (purpose) => {
  const folder = await mkdtemp(join(root, `${purpose}-`));
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
};
const runtimeWith = (limits: Omit<ModelRuntimeOptions, 'scratch'> = {}) => createModelRuntime({ scratch, ...limits });

const namedRows = fixturePath('named-rows.parquet');
const named = () => ({ model: readModel('named'), signature: namedSignature, rowsFile: namedRows, features: namedFeatures });
/** The hour of the named rows as the only feature, under the name that the small models use. */
const hourAs = (model: string) => ({ model: readModel(model), signature: simpleSignature, rowsFile: namedRows, features: { ...namedFeatures, columns: [namedFeatures.columns[0]!] } });

describe('score', () => {
  it('gives score, label and day of every row, in the order of the file, as the trainer predicted', async () => {
    const progress: number[] = [];
    const runtime = runtimeWith();
    const { scores, labels, days } = await runtime.score({ ...named(), onProgress: (rows) => progress.push(rows) });
    const predictions = await runtime.readPredictions(fixturePath('named-predictions.parquet'));
    expect(scores).toHaveLength(400);
    expect(Math.max(...scores.map((score, row) => Math.abs(score - predictions[row]!)))).toBeLessThan(1e-6);
    expect(new Set(labels)).toEqual(new Set([0, 1]));
    expect(days).toHaveLength(400);
    expect([days[0], days.at(-1)]).toEqual(['2013-04-01', '2013-04-08']);
    expect(progress.at(-1)).toBe(400);
  });

  it.each([['trees', 'input'], ['linear', 'X']])('agrees with %s of the Python world on a wide input', async (name, input) => {
    const runtime = runtimeWith();
    const { scores, days } = await runtime.score({ model: readModel(name), signature: matrixSignature(input), rowsFile: fixturePath('matrix-rows.parquet'), features: matrixFeatures });
    const predictions = await runtime.readPredictions(fixturePath(`${name}-predictions.parquet`));
    expect(Math.max(...scores.map((score, row) => Math.abs(score - predictions[row]!)))).toBeLessThan(1e-6);
    expect(new Set(days).size).toBe(25);
  });

  it('refuses missing values that the signature forbids', async () => {
    const signature = signatureOf([tensor('hour'), tensor('wind'), tensor('carrier', 'BYTES', [-1, 1], 'allowed')]);
    await expect(runtimeWith().score({ ...named(), signature })).rejects.toMatchObject({ code: 'MissingValueForbidden', message: expect.stringContaining('"wind" is missing in row') });
  });

  it('names a column that the features or the rows lack', async () => {
    const { columns } = namedFeatures;
    await expect(runtimeWith().score({ ...named(), features: { ...namedFeatures, columns: columns.slice(1) } })).rejects.toMatchObject({ code: 'FeatureMissing', message: expect.stringContaining('"hour"') });
    await expect(runtimeWith().score({ ...named(), features: { ...namedFeatures, label: 'later' } })).rejects.toMatchObject({ code: 'FeatureMissing', message: 'The rows have no column "later".' });
  });

  it('refuses labels that are not 0 and 1, and files that are no Parquet', async () => {
    await expect(runtimeWith().score({ ...named(), features: { ...namedFeatures, label: 'hour' } })).rejects.toMatchObject({ code: 'LabelInvalid' });
    await expect(runtimeWith().score({ ...named(), rowsFile: fixturePath('named.onnx') })).rejects.toMatchObject({ code: 'SourceCorrupt' });
  });

  it('names scores that are no probabilities, and values on which the model errs', async () => {
    await expect(runtimeWith().score(hourAs('log'))).rejects.toMatchObject({ code: 'ModelFailed', message: expect.stringContaining('a score is a probability from 0 to 1') });
    await expect(runtimeWith().score(hourAs('lookup'))).rejects.toMatchObject({ code: 'ModelFailed', message: expect.stringContaining('ONNX Runtime failed while it scored') });
  });
});

describe('readPredictions', () => {
  it('refuses a file without scores, and one that is no Parquet', async () => {
    await expect(runtimeWith().readPredictions(namedRows)).rejects.toMatchObject({ code: 'TrainerOutputInvalid', message: 'The predictions of the trainer have no column "score".' });
    await expect(runtimeWith().readPredictions(fixturePath('named.onnx'))).rejects.toMatchObject({ code: 'TrainerOutputInvalid' });
  });
});

describe('verify', () => {
  it('accepts good models and refuses the others', async () => {
    await runtimeWith().verify(readModel('trees'), matrixSignature('input'));
    await expect(runtimeWith().verify(readModel('external-subgraph'), simpleSignature)).rejects.toMatchObject({ code: 'ModelRefused' });
    await expect(runtimeWith().verify(readModel('integers'), signatureOf([tensor('n', 'INT64', [-1])], [tensor('score', 'INT64', [-1])]))).rejects.toMatchObject({ code: 'ModelRefused' });
  });

  it('is refused or accepted for mutated models, and nothing else happens', async () => {
    const random = seededRandom(66);
    const below = (bound: number): number => Math.floor(random() * bound);
    for (let trial = 0; trial < 5; trial += 1) {
      const model = readModel('trees');
      for (let change = 0; change < 3; change += 1) model[below(model.length)] = below(256);
      const problem: unknown = await runtimeWith().verify(model, matrixSignature('input')).catch((error: unknown) => error);
      if (problem !== undefined) expect(problem).toBeInstanceOf(PerennialFailure);
    }
  });
});

describe('a model that does not behave', () => {
  it('is stopped when it gives no answer in time, and leaves the event loop of its caller free', async () => {
    let [last, longest] = [performance.now(), 0];
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const problem: unknown = await runtimeWith({ deadlineMs: 5_000 }).score(hourAs('slow')).catch((error: unknown) => error);
    clearInterval(timer);
    expect(problem).toMatchObject({ code: 'ModelFailed', message: 'The model gave no answer within 5 s and was stopped.' });
    // A busy machine gives this process its turn late; a model that held the loop would hold it for all of the 5 s.
    expect(longest).toBeLessThan(1_000);
  });

  it('is stopped when it takes more memory than it may', async () => {
    await expect(runtimeWith({ memoryBytes: 700 * 2 ** 20 }).score(hourAs('huge'))).rejects.toMatchObject({
      code: 'ModelFailed',
      message: 'The model needed more than 700 MiB of memory and was stopped.',
    });
  });
});

/** Waits until a condition holds; a busy machine needs long for a process to start. */
const until = async <T>(what: string, condition: () => T | undefined): Promise<T> => {
  const end = performance.now() + 30_000;
  for (;;) {
    const value = condition();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await setTimeout(50);
  }
};

/** The number of the scoring process that a process has started. */
const scoringChildOf = (parent: number): number | undefined => {
  const { stdout, error } = spawnSync('pgrep', ['-P', String(parent), '-f', 'scoring-process'], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout === '' ? undefined : Number(stdout.split('\n')[0]);
};

/** Computing time of a process, which ps shows as [days-]hours:minutes:seconds. */
const computedSeconds = (pid: number): number => {
  const { stdout } = spawnSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
};

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a scoring process', () => {
  it('that is killed from outside is an outage, not a mistake of the model', async () => {
    const problem = runtimeWith().score(hourAs('slow')).catch((error: unknown) => error);
    process.kill(await until('the process is there', () => scoringChildOf(process.pid)), 'SIGKILL');
    expect(await problem).toMatchObject({ code: 'Internal', retryable: true, message: 'The process that scores was killed from outside (SIGKILL).' });
  });

  it('does not outlive its parent, even while a model holds it', async () => {
    const program = fileURLToPath(new URL('./programs/score-for-ever.ts', import.meta.url));
    const folder = await mkdtemp(join(root, 'parent-'));
    const parent = spawn(process.execPath, ['--import', 'tsx', program, folder], { stdio: 'ignore' });
    const child = await until('the process is there', () => scoringChildOf(parent.pid!));
    // Starting takes about one second of computing, so from here on it is the model that computes.
    await until('the model runs', () => (computedSeconds(child) >= 4 ? true : undefined));
    parent.kill('SIGKILL');
    await until('the process has ended', () => (lives(child) ? undefined : true));
  });
});
