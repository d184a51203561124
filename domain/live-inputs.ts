/** What the inputs of a window looked like beside the training rows. */
import type { ColumnDistribution } from '../contracts/features.ts';
import type { LiveInputs } from '../contracts/live-inputs.ts';
import type { UnlikeTraining } from './ports/monitoring.ts';

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const WIDE_INPUT = /\/(\d+)$/;

/** A place in one wide input is the column of that number (domain/feature-rows.ts fills such a model in the order of the columns). */
const columnOf = (input: string | null, references: readonly ColumnDistribution[]): string | null => {
  if (input === null || references.some(({ column }) => column === input)) return input;
  const place = WIDE_INPUT.exec(input)?.[1];
  return (place === undefined ? undefined : references[Number(place)]?.column) ?? input;
};

/** Shares of refused requests, and of rows unlike the training rows, of a window. */
export const liveInputsOf = (
  references: readonly ColumnDistribution[],
  window: { rows: number; requests: number; unlike: UnlikeTraining },
  refusals: LiveInputs['refusals'],
): LiveInputs => {
  const refused = refusals.reduce((sum, { requests }) => sum + requests, 0);
  const share = (rows: number | null): number | null => (rows === null ? null : shareOf(rows, window.rows));
  return {
    requests: window.requests,
    refused,
    refusedShare: shareOf(refused, refused + window.requests),
    refusals: refusals.map((refusal) => ({ ...refusal, input: columnOf(refusal.input, references) })),
    unlikeTraining: shareOf(window.unlike.rows, window.rows),
    columns: window.unlike.columns.map(({ column, outOfRange, unseen }) => ({ column, outOfRange: share(outOfRange), unseen: share(unseen) })),
  };
};
