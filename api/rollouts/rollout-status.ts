/** A rollout's own words as a schema, so that clients know what is in them. */
import { z } from 'zod';

const Counted = { requests: z.number().int(), failures: z.number().int() };

/** Numbers of one analysis: the canary's counters, summed over the gateways since the step began. */
export const ServingWindowView = z
  .object({
    ...Counted,
    fallbacks: z.number().int(),
    latencyP50Ms: z.number().nullable(),
    latencyP95Ms: z.number().nullable(),
    stable: z.object(Counted).optional().describe("The stable version's counters of the same time, where the plan compares with it."),
    shadow: z.object({ dropped: z.number().int(), differing: z.number().int(), maximumDifference: z.number() }).optional(),
  })
  .meta({ id: 'ServingWindow' });

const StepVerdictView = z.object({ verdict: z.enum(['pass', 'fail', 'continue', 'inconclusive']), reason: z.string() });

const RolloutOutcomeView = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('promoted'), model: z.string(), version: z.number().int(), generation: z.number().int(), previous: z.number().int().nullable() }),
  z.object({ kind: z.literal('rolledBack'), model: z.string(), version: z.number().int(), reason: z.string(), step: z.number().int(), generation: z.number().int() }),
  z.object({ kind: z.literal('observed'), model: z.string(), version: z.number().int(), reason: z.string(), generation: z.number().int() }),
  z.object({ kind: z.literal('aborted'), model: z.string(), version: z.number().int(), reason: z.string(), generation: z.number().int() }),
]);

export const RolloutStatusView = z
  .object({
    rolloutId: z.string(),
    model: z.string(),
    version: z.number().int(),
    stable: z.number().int().nullable(),
    state: z.enum(['starting', 'running', 'paused', 'promoting', 'rollingBack', 'done']),
    step: z.number().int().describe('Index of the present step.'),
    steps: z.number().int(),
    weight: z.number(),
    generation: z.number().int(),
    stepElapsedSeconds: z.number(),
    lastWindow: ServingWindowView.nullable(),
    lastVerdict: StepVerdictView.nullable(),
    waitingFor: z.string().nullable(),
    outcome: RolloutOutcomeView.nullable(),
  })
  .meta({ id: 'RolloutStatus' });
