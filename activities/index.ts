/** All activities, built from the ports. The only list of them: the compiler compares it with contracts/activities.ts. */
import type { PerennialActivities } from '../contracts/activities.ts';
import { createMonitorActivities, type MonitorPorts } from './monitor.ts';
import { createNoopActivity } from './noop.ts';
import { createRegisterActivity, type RegisterPorts } from './register.ts';
import { createRolloutActivities, type RolloutPorts } from './rollout.ts';
import { createRunRecordActivities } from './run-record.ts';
import { createTriggerActivities, type TriggerPorts } from './triggers.ts';

export type ActivityPorts = RegisterPorts & RolloutPorts & MonitorPorts & TriggerPorts;

export const createActivities = (ports: ActivityPorts) =>
  ({
    ...createNoopActivity(ports),
    ...createRegisterActivity(ports),
    ...createRunRecordActivities(ports),
    ...createRolloutActivities(ports),
    ...createMonitorActivities(ports),
    ...createTriggerActivities(ports),
  }) satisfies Partial<PerennialActivities>;
