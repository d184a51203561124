/**
 * Finds the deployment of a request. A gateway that has just started listens before its models are loaded, and so does one that has just been told
 * of a new model: such a request waits for the model, bounded, because a client that asked the right address is not at fault.
 */
import { EventEmitter, once } from 'node:events';
import { PerennialFailure } from '../domain/failure.ts';
import type { AppliedDeployment, DeploymentTable } from './deployment-table.ts';

/** What the gateway knows of a model that it does not serve. */
export type Expectation = 'unknown' | 'loading' | 'failed';

export type DeploymentLookup = {
  /**
   * The deployment that routes a request, which counts as under way from the very moment in which it was found: were it counted a turn later,
   * the deployment might be superseded and its versions released in between. Every `enter` needs its `leave`.
   * @throws PerennialFailure as `find`
   */
  enter(model: string): Promise<AppliedDeployment>;
  /**
   * @throws PerennialFailure ModelNotFound for a model that nobody deployed; ModelUnavailable when it cannot be loaded, or not in time;
   * Overloaded when too many requests wait
   */
  find(model: string): Promise<AppliedDeployment>;
  /** The same without waiting. */
  now(model: string): AppliedDeployment;
  /** Tells those who wait that something was loaded, failed, or became known. */
  changed(): void;
};

type Take = (deployment: AppliedDeployment) => void;

const countIn: Take = (deployment) => void (deployment.inFlight += 1);
const lookOnly: Take = () => undefined;

const WAIT_MS = 20_000;
const MOST_WAITING = 4_096;

export const createDeploymentLookup = (
  parts: { table: Pick<DeploymentTable, 'get'>; expectationOf: (model: string) => Expectation; hurry: (model: string) => void },
  { waitMs = WAIT_MS, mostWaiting = MOST_WAITING }: { waitMs?: number; mostWaiting?: number } = {},
): DeploymentLookup => {
  const changes = new EventEmitter().setMaxListeners(0);
  let waiting = 0;

  const refuse = (model: string, expectation: Expectation): never => {
    if (expectation === 'unknown') throw new PerennialFailure('ModelNotFound', `There is no model "${model}" at this gateway.`);
    throw new PerennialFailure('ModelUnavailable', expectation === 'failed' ? `The model "${model}" could not be loaded at this gateway.` : `The model "${model}" is being loaded at this gateway.`);
  };

  const awaitDeployment = async (model: string, take: Take): Promise<AppliedDeployment> => {
    const deadline = AbortSignal.timeout(waitMs);
    for (;;) {
      const [deployment, expectation] = [parts.table.get(model), parts.expectationOf(model)];
      if (deployment !== undefined) {
        take(deployment);
        return deployment;
      }
      if (expectation !== 'loading') return refuse(model, expectation);
      parts.hurry(model);
      await once(changes, 'change', { signal: deadline }).catch(() => refuse(model, expectation));
    }
  };

  const find = async (model: string, take: Take): Promise<AppliedDeployment> => {
    const deployment = parts.table.get(model);
    if (deployment !== undefined) {
      take(deployment);
      return deployment;
    }
    if (waiting >= mostWaiting) throw new PerennialFailure('Overloaded', `${waiting} requests wait for models to be loaded`);
    waiting += 1;
    return awaitDeployment(model, take).finally(() => (waiting -= 1));
  };

  return {
    enter: (model) => find(model, countIn),
    find: (model) => find(model, lookOnly),
    now: (model) => parts.table.get(model) ?? refuse(model, parts.expectationOf(model)),
    changed: () => void changes.emit('change'),
  };
};
