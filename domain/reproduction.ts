/** Whether a repeated training gave the recorded model, and if not, the first thing that differs. */
import type { RunOutcome } from '../contracts/run.ts';
import type { Reproduction, ReproducedVersion, ReproductionDifference } from '../contracts/reproduction.ts';

/** What a training is told apart by: hashes of its feature set and model, and the versions of the trainer's packages. */
export type TrainingIdentity = { featureSet: string; packages: Readonly<Record<string, string>>; model: string };

const ABSENT = 'absent';

const packageDifferences = (recorded: TrainingIdentity['packages'], repeated: TrainingIdentity['packages']): ReproductionDifference[] => {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(repeated)])].sort();
  return names
    .map((name) => ({ what: `package ${name}`, recorded: recorded[name] ?? ABSENT, repeated: repeated[name] ?? ABSENT }))
    .filter((difference) => difference.recorded !== difference.repeated);
};

/** All that differs, causes before what they lead to. */
export const trainingDifferences = (recorded: TrainingIdentity, repeated: TrainingIdentity): ReproductionDifference[] => [
  ...(recorded.featureSet === repeated.featureSet ? [] : [{ what: 'feature set', recorded: recorded.featureSet, repeated: repeated.featureSet }]),
  ...packageDifferences(recorded.packages, repeated.packages),
  ...(recorded.model === repeated.model ? [] : [{ what: 'model', recorded: recorded.model, repeated: repeated.model }]),
];

export const compareTrainings = (
  version: ReproducedVersion,
  trainings: { recorded: TrainingIdentity; repeated: TrainingIdentity; resumed: boolean; largestDifference: number | null },
): Reproduction => {
  const { recorded, repeated, resumed, largestDifference } = trainings;
  return { ...version, identical: recorded.model === repeated.model, differences: trainingDifferences(recorded, repeated), resumed, largestDifference };
};

const sentence = ({ what, recorded, repeated }: ReproductionDifference): string => `${what} was ${recorded.slice(0, 40)}, is ${repeated.slice(0, 40)}`;

const predictionsSentence = ({ largestDifference }: Reproduction): string =>
  largestDifference === null ? 'predictions could not be compared' : `predictions of the held-out rows differ by at most ${largestDifference}`;

/**
 * How the run ends: succeeded when the bytes are the same, or when they cannot be (a resumed training) and nothing before the model differs; else rejected,
 * with what differs, the first cause first.
 */
export const reproductionOutcome = (reproduction: Reproduction): RunOutcome => {
  const { model, version, identical, resumed, differences } = reproduction;
  const isExpected = resumed && differences.every(({ what }) => what === 'model');
  if (identical || isExpected) return { kind: 'succeeded', model, version, reproduction };
  return { kind: 'rejected', reasons: [...differences.slice(0, 10).map(sentence), predictionsSentence(reproduction)], reproduction };
};
