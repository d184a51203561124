import type { CheckResult } from '../../contracts/check-report.ts';
import type { FileCheck } from '../../contracts/data-check.ts';
import type { ColumnProfile } from '../../contracts/dataset-profile.ts';
import type { FeatureSetManifest, SplitWindow } from '../../contracts/features.ts';
import type { FeaturesSpec, SplitSpec } from '../../contracts/pipeline.ts';

/**
 * A table as local files, in the order of their paths. `columns` where they are known already: CSV files are then not read to find them. Values of `masked`
 * columns are in no result.
 */
export type LocalTable = { name: string; format: 'parquet' | 'csv'; files: string[]; columns?: { name: string; type: string }[]; masked?: string[] };

export type InspectedTable = { name: string; rows: number; columns: { name: string; type: string; nulls: number }[]; rowsPerFile: number[]; profile: ColumnProfile[] };

/** A call with an aborted signal has its process killed and fails. */
export type CallOptions = { signal?: AbortSignal };

/**
 * SQL over local files, in a process of its own with bounded memory. User SQL is one SELECT over the given tables and can reach
 * no file, network or setting. A user's mistake fails with a code of contracts/failures.ts (SourceCorrupt, SchemaChanged,
 * FeatureQueryInvalid, FeatureMissing, FeatureTypeWrong, MissingValueForbidden, LabelInvalid, LabelHasOneClass, SplitEmpty).
 */
export interface DataEngine {
  /** Columns, types, nulls, rows per file and profile of each table; files of one table must agree in columns and types. */
  inspect(tables: LocalTable[], options?: CallOptions): Promise<InspectedTable[]>;
  /** Results in the order of the checks; examples name local files. `atMs` is the moment against which freshness is judged. */
  check(input: { tables: LocalTable[]; checks: FileCheck[]; atMs: number }, options?: CallOptions): Promise<CheckResult[]>;
  /** Writes `train.parquet` and `holdout.parquet` in `folder`, ordered by event time and identity: same input, same bytes. */
  buildFeatures(input: { tables: LocalTable[]; features: FeaturesSpec; split: SplitSpec; folder: string }, options?: CallOptions): Promise<{
    split: SplitWindow;
    trainFile: string;
    holdoutFile: string;
    trainRows: number;
    holdoutRows: number;
    reference: FeatureSetManifest['reference'];
  }>;
  /**
   * Writes to `file` the features of the rows of another feature set (`rowsFile`, told apart by `identity`), in their order. Fails with
   * FeatureQueryInvalid unless the SQL gives each of them exactly once.
   */
  matchFeatures(input: { tables: LocalTable[]; features: FeaturesSpec; rowsFile: string; identity: string[]; file: string }, options?: CallOptions): Promise<{ rows: number }>;
  /**
   * Cuts rows that `buildFeatures` wrote in two by event time: the last period goes to `holdout.parquet` in `folder`, the rest to `train.parquet`, each in
   * its order. Fails with SplitEmpty, LabelHasOneClass or LabelInvalid when nothing could be fitted or judged on a part.
   */
  splitRows(input: { rowsFile: string; features: FeaturesSpec; last: string; folder: string }, options?: CallOptions): Promise<{
    split: SplitWindow;
    trainFile: string;
    holdoutFile: string;
    trainRows: number;
    holdoutRows: number;
  }>;
}
