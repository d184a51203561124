/** All activities, built from the ports. The only list of them: the compiler compares it with contracts/activities.ts. */
import type { PerennialActivities } from '../contracts/activities.ts';
import type { ResourceMeter } from '../domain/ports/resource-meter.ts';
import { createReportActivities, type ReportPorts } from './alert-reports.ts';
import { createAlertActivities, type AlertPorts } from './alerts.ts';
import { createCheckActivity, type CheckPorts } from './check.ts';
import { createEvaluateActivity } from './evaluate.ts';
import { createFeaturesActivity, type FeaturesPorts } from './features.ts';
import { createIngestActivity, type IngestPorts } from './ingest.ts';
import { measured } from './measured.ts';
import { createMonitorActivities, type MonitorPorts } from './monitor.ts';
import { createNoopActivity } from './noop.ts';
import { createRegisterActivity, type RegisterPorts } from './register.ts';
import { createReproductionActivities } from './reproduction.ts';
import { createRolloutActivities, type RolloutPorts } from './rollout.ts';
import { createRunRecordActivities } from './run-record.ts';
import type { EvaluatePorts } from './scoring.ts';
import { createSearchActivities, type SearchPorts } from './search.ts';
import { createTrainActivity, type TrainPorts } from './train.ts';
import { createTrialActivities, type TrialPorts } from './trials.ts';
import { createTickActivities, createTriggerActivities, type TriggerPorts } from './triggers.ts';

export type ActivityPorts = EvaluatePorts & IngestPorts & CheckPorts & FeaturesPorts & TrainPorts & RegisterPorts & RolloutPorts & MonitorPorts & TriggerPorts & AlertPorts & ReportPorts & SearchPorts & TrialPorts & { meter: ResourceMeter };

const unmeasured = (ports: ActivityPorts): PerennialActivities => ({
  ...createIngestActivity(ports),
  ...createCheckActivity(ports),
  ...createFeaturesActivity(ports),
  ...createTrainActivity(ports),
  ...createEvaluateActivity(ports),
  ...createSearchActivities(ports),
  ...createTrialActivities(ports),
  ...createReproductionActivities(ports),
  ...createNoopActivity(ports),
  ...createRegisterActivity(ports),
  ...createRunRecordActivities(ports),
  ...createRolloutActivities(ports),
  ...createMonitorActivities(ports),
  ...createTriggerActivities(ports),
  ...createReportActivities(ports),
  ...createAlertActivities(ports),
  ...createTickActivities(ports),
});

export const createActivities = (ports: ActivityPorts): PerennialActivities => measured(ports.meter, unmeasured(ports));
