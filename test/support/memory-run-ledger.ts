/** A run ledger in memory that keeps what it was told, in order. */
import type { StepContext } from '../../contracts/run.ts';
import type { RunLedger } from '../../domain/ports/run-ledger.ts';

export type LedgerEntry = { call: keyof RunLedger; step?: string; value: unknown };

type Recorded = { name?: string; version?: string; manifest?: unknown };

export const memoryRunLedger = (): RunLedger & { entries: LedgerEntry[]; of: (call: keyof RunLedger) => unknown[] } => {
  const entries: LedgerEntry[] = [];
  const keep = (call: keyof RunLedger, context: StepContext, value: unknown): void => void entries.push({ call, step: context.step, value });
  return {
    entries,
    of: (call) => entries.filter((entry) => entry.call === call).map(({ value }) => value),
    startStep: async (context, attempt) => keep('startStep', context, attempt),
    finishStep: async (context, output) => keep('finishStep', context, output),
    failStep: async (context, failure, state) => keep('failStep', context, { ...failure, state }),
    finishRun: async (context, end) => keep('finishRun', context, end),
    outputsOf: async () => [],
    unsettledRuns: async () => [],
    settleRun: async () => undefined,
    datasetManifest: async (name, version) => entries.filter(({ call }) => call === 'recordDataset').map(({ value }) => value as Recorded).find((entry) => entry.name === name && entry.version === version)?.manifest,
    previousDataset: async (name, version) => {
      const recorded = entries.filter(({ call }) => call === 'recordDataset').map(({ value }) => value as Recorded).filter((entry) => entry.name === name);
      return recorded[recorded.findIndex((entry) => entry.version === version) - 1]?.manifest;
    },
    recordDataset: async (dataset) => void entries.push({ call: 'recordDataset', value: dataset }),
    recordFeatureSet: async (featureSet) => void entries.push({ call: 'recordFeatureSet', value: featureSet }),
  };
};
