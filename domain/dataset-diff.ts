/** Decides what changed from one version of a dataset to another, by their manifests alone. */
import type { DatasetManifest } from '../contracts/dataset.ts';
import type { ColumnChange, DatasetDiff, FilesChange, SchemaChange, TableChange } from '../contracts/dataset-diff.ts';
import type { ColumnProfile } from '../contracts/dataset-profile.ts';
import { columnDistance } from './column-distance.ts';

type Table = DatasetManifest['tables'][number];

/** From here on a distribution counts as another one: the threshold that drift monitoring uses for large samples too. */
const DISTANCE = 0.1;
const NULL_SHARE = 0.05;

const EMPTY: Omit<Table, 'name' | 'format'> = { rows: 0, columns: [], files: [], profile: [] };

const schemaChange = (from: Table, to: Table): SchemaChange => {
  const [before, after] = [from, to].map(({ columns }) => new Map(columns.map(({ name, type }) => [name, type]))) as [Map<string, string>, Map<string, string>];
  return {
    added: [...after].filter(([column]) => !before.has(column)).map(([column, type]) => ({ column, type })),
    removed: [...before].filter(([column]) => !after.has(column)).map(([column, type]) => ({ column, type })),
    retyped: [...after].flatMap(([column, type]) => {
      const earlier = before.get(column);
      return earlier === undefined || earlier === type ? [] : [{ column, from: earlier, to: type }];
    }),
  };
};

const filesChange = (from: Table, to: Table): FilesChange => {
  const before = new Map(from.files.map((file) => [file.path, file]));
  const after = new Set(to.files.map(({ path }) => path));
  const change: FilesChange = { added: [], removed: from.files.filter(({ path }) => !after.has(path)).map(({ path, rows }) => ({ path, rows })), changed: [], same: 0 };
  for (const { path, rows, artifact } of to.files) {
    const earlier = before.get(path);
    if (earlier === undefined) change.added.push({ path, rows });
    else if (earlier.artifact.sha256 === artifact.sha256) change.same += 1;
    else change.changed.push({ path, rows, rowsBefore: earlier.rows });
  }
  return change;
};

const nullShare = ({ count, nulls }: ColumnProfile): number => (count + nulls === 0 ? 0 : nulls / (count + nulls));

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

const columnChange = (from: ColumnProfile, to: ColumnProfile): ColumnChange => {
  const found = columnDistance(from, to);
  const [before, after] = [nullShare(from), nullShare(to)];
  const reasons: string[] = [];
  if (found !== undefined && found.distance >= DISTANCE) reasons.push(`the values are distributed otherwise: distance ${found.distance.toFixed(3)}`);
  if (before === 0 && after > 0) reasons.push(`it has nulls now: ${percent(after)}`);
  else if (Math.abs(after - before) >= NULL_SHARE) reasons.push(`nulls went from ${percent(before)} to ${percent(after)}`);
  if (from.count > 0 !== to.count > 0) reasons.push(to.count > 0 ? 'it has values now' : 'it has no values any more');
  return {
    column: to.column,
    measure: found?.measure ?? null,
    distance: found?.distance ?? null,
    nullShare: { from: before, to: after },
    distinct: { from: from.distinct, to: to.distinct },
    mean: from.numbers !== null && to.numbers !== null ? { from: from.numbers.mean, to: to.numbers.mean } : null,
    reasons,
  };
};

/** Columns of both versions, those that changed most first. */
const columnChanges = (from: Table, to: Table): ColumnChange[] => {
  const before = new Map(from.profile.map((profile) => [profile.column, profile]));
  const changes = to.profile.flatMap((profile) => {
    const earlier = before.get(profile.column);
    return earlier === undefined ? [] : [columnChange(earlier, profile)];
  });
  return changes.sort((left, right) => Number(right.reasons.length > 0) - Number(left.reasons.length > 0) || (right.distance ?? 0) - (left.distance ?? 0));
};

const tableChange = (name: string, from: Table | undefined, to: Table | undefined): TableChange => {
  const format = (to ?? from)!.format;
  const [before, after] = [from ?? { ...EMPTY, name, format }, to ?? { ...EMPTY, name, format }];
  const files = filesChange(before, after);
  const isSame = files.added.length + files.removed.length + files.changed.length === 0;
  const state = from === undefined ? 'added' : to === undefined ? 'removed' : isSame ? 'same' : 'changed';
  return { table: name, state, rows: { from: before.rows, to: after.rows }, schema: schemaChange(before, after), files, columns: columnChanges(before, after) };
};

/** Tables in the order of their names. */
export const diffVersions = (from: DatasetManifest, to: DatasetManifest): DatasetDiff => {
  const names = [...new Set([...from.tables, ...to.tables].map(({ name }) => name))].sort();
  const named = (manifest: DatasetManifest, name: string): Table | undefined => manifest.tables.find((table) => table.name === name);
  return {
    dataset: to.dataset,
    from: from.version,
    to: to.version,
    same: from.version === to.version,
    tables: names.map((name) => tableChange(name, named(from, name), named(to, name))),
  };
};
