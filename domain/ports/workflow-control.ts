import type { MonitorInput } from '../../contracts/monitor.ts';
import type { RunPresence } from '../../contracts/schedule.ts';
import type { TrialReport } from '../../contracts/search.ts';
import type { Trigger } from '../../contracts/trigger.ts';
import type { AlertReport } from './alerts.ts';

/** What activities may ask of the workflow engine; each is idempotent by workflow id and message id. */
export interface WorkflowControl {
  /** Signal-with-start of `triggers/<pipeline>`. */
  submitTrigger(pipeline: string, trigger: Trigger): Promise<void>;
  /** Signal-with-start of `monitor/<model>`. */
  startMonitor(input: MonitorInput): Promise<void>;
  /** Signal-with-start of `alert/<key>` for a condition that holds; for one that is clear a signal, if there is an incident to hear it. */
  reportAlert(report: AlertReport): Promise<void>;
  /** Tells the search of a run what a trial reports; a search that has ended needs no telling. */
  reportTrial(runId: string, report: TrialReport): Promise<void>;
  /** Whether a run is open, and if not, how it ended. */
  runPresence(runId: string): Promise<RunPresence>;
  /** Asks a run to cancel; one that is closed, or not there, is no error. */
  cancelRun(runId: string): Promise<void>;
}
