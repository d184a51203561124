/** What goes between the engine and its query processes. */
import type { FailureRecord } from '../../contracts/run.ts';
import type { LocalTable } from '../../domain/ports/data-engine.ts';
import type { FeatureInput } from './build-features.ts';
import type { CustomSqlInput } from './checks/custom-sql.ts';
import type { RowCheck } from './checks/plan.ts';
import type { DatabaseSettings } from './database.ts';
import type { QueryLimits } from './locked-query.ts';
import type { MatchInput } from './match-features.ts';
import type { SplitInput } from './split-rows.ts';

export type Call = { settings: DatabaseSettings; limits: QueryLimits } & (
  | { task: 'inspect'; tables: LocalTable[] }
  | { task: 'check'; tables: LocalTable[]; checks: RowCheck[]; atMs: number }
  | { task: 'customSql'; input: CustomSqlInput }
  | { task: 'buildFeatures'; input: FeatureInput }
  | { task: 'matchFeatures'; input: MatchInput }
  | { task: 'splitRows'; input: SplitInput }
);

/** `reading` names the file (or the files of a table) that is being read: what to blame when the process dies now; null between files. */
export type CallMessage = { reading: string | null } | { result: unknown } | { failure: FailureRecord } | { error: string };
