/** Registers the judged model itself: the bytes that were evaluated, with everything that they came from. */
import type { StepActivities } from '../contracts/activities.ts';
import { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step } from './boundary.ts';

export type RegisterPorts = { ledger: RunLedger; registry: ModelRegistry; artifacts: ArtifactStore; faults: FaultPoints };

type Input = Parameters<StepActivities['register']>[0];

/** A version names bytes that are there: the gateways will ask for them. */
const requireModel = async (artifacts: ArtifactStore, { trained }: Input): Promise<void> => {
  if (await artifacts.exists(trained.model)) return;
  throw new PerennialFailure('ArtifactNotFound', `the trained model ${trained.model.uri} is not in the artifact store`);
};

const readSignature = async (artifacts: ArtifactStore, { trained }: Input): Promise<ModelSignature> => {
  const bytes = await artifacts.get(trained.signature);
  return ModelSignature.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
};

export const createRegisterActivity = ({ ledger, registry, artifacts, faults }: RegisterPorts): Pick<StepActivities, 'register'> => ({
  register: step(ledger, async (input: Input) => {
    const { context, trained, evaluation, gates, lineage } = input;
    await requireModel(artifacts, input);
    const signature = await readSignature(artifacts, input);
    const model = context.model ?? context.pipeline;
    const registered = await registry.registerVersion({ model, runId: context.runId, trained, signature, evaluation, gates, lineage });
    faults.reach('register.after-commit');
    return registered;
  }),
});
