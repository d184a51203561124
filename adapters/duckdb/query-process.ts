/** A process that makes one call of DuckDB and ends. What it is told comes over Node's IPC; it ends too when its parent does. */
import { writeFileSync } from 'node:fs';
import { PerennialFailure, failureRecord } from '../../domain/failure.ts';
import { buildFeatureSet } from './build-features.ts';
import type { Call, CallMessage } from './call.ts';
import { runCustomSql } from './checks/custom-sql.ts';
import { runChecks } from './checks/run-checks.ts';
import { openDatabase } from './database.ts';
import { inspectTables } from './inspect.ts';
import { matchFeatures } from './match-features.ts';
import type { OnFile } from './source-tables.ts';
import { splitRows } from './split-rows.ts';

/** When memory runs out, the kernel is to take this process and not the worker. */
const volunteerForOutOfMemory = (): void => {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or not allowed: the memory limit of DuckDB is the first bound anyway.
  }
};

const onFile: OnFile = (path) => void process.send?.({ reading: path } satisfies CallMessage);

const perform = async (call: Call): Promise<unknown> => {
  const { settings, limits } = call;
  if (call.task === 'buildFeatures') return buildFeatureSet(settings, call.input, { limits, onFile });
  if (call.task === 'matchFeatures') return matchFeatures(settings, call.input, { limits, onFile });
  if (call.task === 'customSql') return runCustomSql(settings, call.input, { limits, onFile });
  if (call.task === 'splitRows') return splitRows(settings, call.input);
  const { connection, close } = await openDatabase(settings);
  try {
    const input = { folder: settings.folder, tables: call.tables, onFile };
    return call.task === 'inspect' ? await inspectTables(connection, input) : await runChecks(connection, { ...input, checks: call.checks, atMs: call.atMs });
  } finally {
    close();
  }
};

const answer = async (call: Call): Promise<CallMessage> => {
  try {
    return { result: await perform(call) };
  } catch (error) {
    if (error instanceof PerennialFailure) return { failure: failureRecord(error) };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

volunteerForOutOfMemory();
// Killed, not exited: an orderly exit would wait for a query that runs.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.once('message', (call: Call) => {
  void answer(call).then((message) => process.send?.(message, () => process.exit(0)));
});
