/**
 * The flight-delays story on a whole stack of its own: `npm run demo [-- --keep] [--free-ports]`.
 * `--keep` leaves everything running; exit code 0 only when each of the six points was verified.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeOutsideData } from '../../../deploy/local/postgres-location.ts';
import { endLeftovers } from '../../../deploy/local/processes/process-table.ts';
import { stopWhenInterrupted } from '../../../deploy/local/end-signals.ts';
import { startStack, type Stack } from '../../../deploy/local/stack.ts';
import { readConfig } from '../../../workers/config.ts';
import { badModelsPoint, refusedByGate, rolledBackLive } from './chapters/bad-models.ts';
import { canaryAndSurvive } from './chapters/canary-and-survive.ts';
import { driftAndRetrain } from './chapters/drift-and-retrain.ts';
import { serveMay, trainFirstModel } from './chapters/train-and-serve.ts';
import { openStage, type Point, type Stage } from './stage.ts';
import { summarise } from './summary.ts';

const stateFolder = readConfig().home;
const home = join(stateFolder, 'demo');
const arrivals = join(home, 'arrivals');
const keep = process.argv.includes('--keep');

const tellStory = async (stage: Stage): Promise<Point[]> => {
  const points: Point[] = [];
  points.push(await trainFirstModel(stage));
  points.push(await serveMay(stage));
  // Each bad one meets the champion that shows it best: the first passes offline because the first champion is weak in May.
  const live = await rolledBackLive(stage);
  points.push(...(await canaryAndSurvive(stage)));
  points.push(badModelsPoint(live, await refusedByGate(stage)));
  points.push(await driftAndRetrain(stage));
  return points;
};

/** The story begins with an empty registry: what an earlier demo left is ended and removed. */
const clearHome = async (): Promise<void> => {
  await endLeftovers(home, () => undefined);
  removeOutsideData(home);
  rmSync(home, { recursive: true, force: true });
};

const launch = (): Promise<Stack> =>
  startStack({
    home,
    ...(process.argv.includes('--free-ports') ? { ports: 'free' as const } : {}),
    environment: { PERENNIAL_SOURCE_ROOTS: arrivals },
  });

const untilInterrupted = (): Promise<void> =>
  new Promise((finish) => {
    process.once('SIGINT', () => finish());
    process.once('SIGTERM', () => finish());
  });

const main = async (): Promise<void> => {
  const startedAt = Date.now();
  await clearHome();
  const stack = await launch();
  const forget = stopWhenInterrupted(stack);
  const stage = await openStage(stack, arrivals);
  try {
    stage.say(`API ${stack.urls.api}, gateways ${stack.urls.gateways.join(' and ')}, Temporal Web UI ${stack.urls.temporalUi}`);
    const points = await tellStory(stage);
    const allHold = await summarise(stage, points, { folder: stateFolder, wallSeconds: (Date.now() - startedAt) / 1_000 });
    process.exitCode = allHold ? 0 : 1;
    forget();
    if (keep) {
      stage.say(`everything is left running; the admin key is in ${join(home, 'admin-key')}; Ctrl-C stops it`);
      await untilInterrupted();
    }
  } finally {
    forget();
    await stage.close();
    await stack.stop(keep ? {} : { graceMs: 5_000 });
  }
};

await main();
