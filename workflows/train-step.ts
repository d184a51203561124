/** The train step: on the pool that the pipeline asks for, again after a crash, within the time of the step. */
import type { FeatureSetRef } from '../contracts/features.ts';
import type { TrainedModel } from '../contracts/model.ts';
import type { TrainSpec } from '../contracts/pipeline.ts';
import { codeOf } from './failure.ts';
import { doStep, type ModelRun } from './model-step.ts';
import { heavy } from './proxies.ts';

/** A trainer that ends abnormally is tried at most this often; a fourth crash would be no news. */
const TRAINER_ATTEMPTS = 3;

const trainerName = ({ trainer }: TrainSpec): string => (typeof trainer === 'string' ? trainer : (trainer.command[0] ?? 'command'));

/** What is left of the time of all attempts together, in whole seconds, at least one. */
const secondsLeft = (spec: TrainSpec, endsAtMs: number): number =>
  Math.max(1, Math.min(spec.timeoutSeconds, Math.ceil((endsAtMs - Date.now()) / 1_000)));

export const train = (run: ModelRun, featureSet: FeatureSetRef): Promise<TrainedModel> => {
  const { features, train: spec } = run.spec;
  const { pool, scheduleToStartSeconds } = spec;
  return doStep(run, { name: 'train', pool }, async (context) => {
    // Waiting for a worker is not training, so it does not use up the time.
    const endsAtMs = Date.now() + (spec.timeoutSeconds + scheduleToStartSeconds) * 1_000;
    for (let attempt = 1; ; attempt += 1) {
      const seconds = secondsLeft(spec, endsAtMs);
      const summary = `${trainerName(spec)} on ${featureSet.trainRows} rows${attempt === 1 ? '' : `, attempt ${attempt}`}`;
      try {
        const input = { context, featureSet, features, train: { ...spec, timeoutSeconds: seconds } };
        return await heavy({ summary, pool, scheduleToStartSeconds, seconds }).train(input);
      } catch (error) {
        if (codeOf(error) !== 'TrainerCrashed' || attempt >= TRAINER_ATTEMPTS) throw error;
      }
    }
  });
};
