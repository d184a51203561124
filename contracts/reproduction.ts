/** A version that is trained again from its record, and how what came out compares with what was registered. Types only. */
import type { DatasetVersionRef } from './dataset.ts';
import type { TrialParams } from './search.ts';

/** The version that a run repeats. */
export type ReproducedVersion = { model: string; version: number };

/** What the first run of a version began from: the dataset version as it was, and the parameters that a search found, if there was one. */
export type RecordedBeginning = { dataset: DatasetVersionRef; searched: TrialParams | null };

/** Something that is not as it was: `what` is `feature set`, `package <name>` or `model`; the others are hashes or package versions. */
export type ReproductionDifference = { what: string; recorded: string; repeated: string };

/**
 * `identical`: the bytes of the model are the same. `differences` are in the order in which one leads to another: the feature set, packages, the model.
 * `resumed`: the recorded training went on from checkpoints, so that its bytes cannot be expected again. `largestDifference` is that of the trainer's
 * predictions of the held-out rows; null where the trainer left none, or the rows are others.
 */
export type Reproduction = ReproducedVersion & { identical: boolean; differences: ReproductionDifference[]; resumed: boolean; largestDifference: number | null };
