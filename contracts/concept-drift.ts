/** Concept drift: what the monitor declares, and what a detector says of a window. */
import { z } from 'zod';

/**
 * What the detector reads of each labelled row: `error` is 1 where the decision at 0.5 was wrong, `squaredError` is (score - label)^2, which
 * also sees a model whose decisions are nearly all the same.
 */
const Signal = z.enum(['error', 'squaredError']);

/**
 * When a window is read: as soon as `minimumCoverage` of its rows have labels, and at the latest `patienceSeconds` after it was closed, with the
 * labels that it has then. Windows are read in their order, each once: labels that come later change quality, not what was read.
 */
const Reading = {
  minimumCoverage: z.number().min(0.01).max(1).default(0.95),
  patienceSeconds: z.number().min(0).max(31_536_000).default(2_592_000),
};

/** A detector of concept drift on the errors of the model, with the parameters and defaults of the library river. */
export const ConceptSpec = z.discriminatedUnion('detector', [
  z.strictObject({ detector: z.literal('adwin'), signal: Signal.default('error'), delta: z.number().min(1e-9).max(0.5).default(0.002), ...Reading }),
  z.strictObject({
    detector: z.literal('ddm'),
    warmStart: z.number().int().min(1).max(1_000_000).default(30),
    warningThreshold: z.number().positive().max(100).default(2),
    driftThreshold: z.number().positive().max(100).default(3),
    ...Reading,
  }),
  z.strictObject({
    detector: z.literal('pageHinkley'),
    signal: Signal.default('error'),
    minimumCount: z.number().int().min(1).max(1_000_000).default(30),
    delta: z.number().min(0).max(1).default(0.005),
    threshold: z.number().positive().max(1e9).default(50),
    alpha: z.number().min(0).max(1).default(0.9999),
    ...Reading,
  }),
]);
export type ConceptSpec = z.infer<typeof ConceptSpec>;

/** `label` is the number of the value in the stream of labels of the version, from 1; `direction` is where the errors went. */
export const ConceptDetection = z.object({ label: z.number().int(), direction: z.enum(['rise', 'fall']) });
export type ConceptDetection = z.infer<typeof ConceptDetection>;

/** What the detector said of one window. `detected` is true when the errors rose; a fall is shown, and is no reason to act. */
export const ConceptReport = z.object({
  detector: z.enum(['adwin', 'ddm', 'pageHinkley']),
  labels: z.number().int().describe('Labels of the window that the detector read.'),
  mean: z.number().nullable().describe('Mean of the signal over those labels.'),
  detected: z.boolean(),
  warning: z.boolean().describe('The window ended in the warning zone (DDM).'),
  detections: z.array(ConceptDetection).describe('The first 10.'),
});
export type ConceptReport = z.infer<typeof ConceptReport>;
