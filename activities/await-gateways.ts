/** Waits until the gateways serve a generation. Only what they acknowledged counts as shifted traffic. */
import { sleep } from '@temporalio/activity';
import { PerennialFailure } from '../domain/failure.ts';
import type { Deployments } from '../domain/ports/deployments.ts';

const POLL_MS = 200;
/** Longer than a gateway takes to start again and renew its lease, on a machine that is not busy. */
const NO_GATEWAY_MS = 5_000;

type Acknowledgements = Awaited<ReturnType<Deployments['acknowledgements']>>;

const requireNoFailure = ({ failures }: Acknowledgements, model: string, generation: number): void => {
  const [failure] = failures;
  if (failure === undefined) return;
  throw new PerennialFailure('GatewayLoadFailed', `${failure.gateway} could not load generation ${generation} of ${model}: ${failure.error}`);
};

/**
 * Polls until every gateway with a live lease acknowledged the generation; one that loses its lease meanwhile is waited for no more.
 * @returns how many acknowledged
 * @throws PerennialFailure GatewayLoadFailed, or GatewaysUnavailable when there was none at all for 5 s; CancelledFailure when cancelled
 */
export const awaitGateways = async (deployments: Deployments, { model, generation }: { model: string; generation: number }): Promise<{ gateways: number }> => {
  let lastSeenAt = performance.now();
  for (;;) {
    const state = await deployments.acknowledgements(model, generation);
    requireNoFailure(state, model, generation);
    if (state.live > 0 && state.acknowledged >= state.live) return { gateways: state.acknowledged };
    if (state.live > 0) lastSeenAt = performance.now();
    else if (performance.now() - lastSeenAt >= NO_GATEWAY_MS) {
      throw new PerennialFailure('GatewaysUnavailable', `no gateway has a live lease, so nobody serves generation ${generation} of ${model}`);
    }
    await sleep(POLL_MS);
  }
};
