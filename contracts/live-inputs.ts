/** Inputs of live traffic against the signature and the training rows: what was refused, and what was answered though it is unlike the training. */
import { z } from 'zod';

/**
 * Why a request was refused: no readable V2 body; an input that the model does not have, or not the one that it has; a data type, a shape, a
 * value or a missing value that the signature does not allow.
 */
export const RefusalReason = z.enum(['malformed', 'unknownInput', 'missingInput', 'wrongShape', 'wrongType', 'missingValue']);
export type RefusalReason = z.infer<typeof RefusalReason>;

/** `input` is an input of the signature, with its place for one that is wider than 1 (`features/3`), never text of a client; null for the whole request. */
export type Refusal = { reason: RefusalReason; input: string | null };

/** Refused requests are counted in spans of this length, so that each span belongs to one window. */
export const REFUSAL_SPAN_MS = 10_000;

/** Refusals of one kind in one span (`at` is its begin, in milliseconds since the epoch) at one gateway process; `requests` only grows. */
export type RefusalCount = Refusal & { model: string; version: number; at: number; requests: number };

/** Shares are of the rows of the window; null where the training rows do not say what is usual. What is missing is told by the drift of the column. */
export const LiveColumn = z.object({
  column: z.string(),
  outOfRange: z.number().nullable().describe('Numbers below the least or above the largest of the training rows.'),
  unseen: z.number().nullable().describe('Categories that no training row has.'),
});
export type LiveColumn = z.infer<typeof LiveColumn>;

export const LiveInputs = z.object({
  requests: z.number().int().describe('Answered requests of the window.'),
  refused: z.number().int().describe('Refused requests of the same time.'),
  refusedShare: z.number(),
  refusals: z.array(z.object({ reason: RefusalReason, input: z.string().nullable(), requests: z.number().int() })).describe('The most frequent first.'),
  unlikeTraining: z.number().describe('Share of rows with a number out of range or an unseen category in any column.'),
  columns: z.array(LiveColumn),
});
export type LiveInputs = z.infer<typeof LiveInputs>;
