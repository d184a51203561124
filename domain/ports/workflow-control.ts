import type { MonitorInput } from '../../contracts/monitor.ts';
import type { Trigger } from '../../contracts/trigger.ts';

/** What activities may ask of the workflow engine; each is idempotent by workflow id and message id. */
export interface WorkflowControl {
  /** Signal-with-start of `triggers/<pipeline>`. */
  submitTrigger(pipeline: string, trigger: Trigger): Promise<void>;
  /** Signal-with-start of `monitor/<model>`. */
  startMonitor(input: MonitorInput): Promise<void>;
}
