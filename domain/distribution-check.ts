/** Decides whether a column is still distributed as in a reference version, by the profiles of both. */
import type { CheckResult } from '../contracts/check-report.ts';
import type { DataCheck } from '../contracts/data-check.ts';
import type { DatasetManifest } from '../contracts/dataset.ts';
import type { ColumnProfile } from '../contracts/dataset-profile.ts';
import { nameOfCheck } from './check-names.ts';
import { columnDistance } from './column-distance.ts';

type DistributionCheck = Extract<DataCheck, { kind: 'distribution' }>;

const profileIn = (manifest: DatasetManifest, { table, column }: DistributionCheck): ColumnProfile | undefined =>
  manifest.tables.find(({ name }) => name === table)?.profile.find((profile) => profile.column === column);

const judge = (check: DistributionCheck, current: DatasetManifest, reference: DatasetManifest | undefined): { passed: boolean; message: string } => {
  const cannot = (why: string): { passed: boolean; message: string } => ({ passed: false, message: `cannot run: ${why}` });
  const after = profileIn(current, check);
  if (after === undefined) return cannot(`there is no column "${check.column}" in the table "${check.table}"`);
  // The first version has nothing before it: that is how it was declared, and no check that was left out.
  if (reference === undefined) return check.reference === 'previous' ? { passed: true, message: 'there is no earlier version to compare with' } : cannot(`there is no version ${check.reference} of the dataset`);
  const before = profileIn(reference, check);
  if (before === undefined) return cannot(`the version ${reference.version.slice(0, 12)} has no column "${check.column}" in the table "${check.table}"`);
  const found = columnDistance(before, after);
  if (found === undefined) return cannot(`the values of "${check.column}" cannot be compared with those of the version ${reference.version.slice(0, 12)}: they are masked, absent or of another kind`);
  const what = `"${check.column}" is ${found.distance.toFixed(3)} from the version ${reference.version.slice(0, 12)} (${found.measure})`;
  return found.distance <= check.maximumDistance ? { passed: true, message: what } : { passed: false, message: `${what}, at most ${check.maximumDistance} is allowed` };
};

/** `reference` is the version that the check names; undefined where there is none. */
export const distributionResult = (check: DistributionCheck, current: DatasetManifest, reference: DatasetManifest | undefined): CheckResult => ({
  check: nameOfCheck(check),
  table: check.table,
  severity: check.severity,
  rows: current.tables.find(({ name }) => name === check.table)?.rows ?? 0,
  failingRows: 0,
  share: 0,
  examples: [],
  ...judge(check, current, reference),
});
