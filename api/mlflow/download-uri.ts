/** Where the files of a registered version lie, for every kind of source. */
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ModelSignature } from '../../contracts/features.ts';
import { loggedModelUri } from '../../adapters/postgres/tracking/logged-models.ts';
import { setArtifact } from '../../adapters/postgres/tracking/artifact-paths.ts';
import { readArtifactUri } from '../../adapters/postgres/tracking/runs.ts';
import { OWN_FOLDER } from '../../domain/tracking/artifact-path.ts';
import { invalidValue, notFound } from '../../domain/tracking/refusal.ts';
import type { ApiContext } from '../http/app-types.ts';
import { onnxModelFile, ONNX_REQUIREMENTS } from './onnx-model-file.ts';

type VersionId = { name: string; version: number };
type Row = { source: string | null; artifact: unknown; signature: unknown; run_id: string | null; created_at: Date };

const MOST_STEPS = 10;

/** Lays a pipeline's model out as MLflow loads it: the ONNX file that is there already, and what describes it. */
const layOut = async ({ database, artifacts }: ApiContext, { name, version }: VersionId, row: Row): Promise<string> => {
  const folder = `${OWN_FOLDER}/models/${name}/${version}`;
  const description = onnxModelFile({ name, version, signature: row.signature as ModelSignature, createdAt: row.created_at });
  await setArtifact(database, `${folder}/MLmodel`, await artifacts.put(Buffer.from(description)));
  await setArtifact(database, `${folder}/requirements.txt`, await artifacts.put(Buffer.from(ONNX_REQUIREMENTS)));
  await setArtifact(database, `${folder}/model.onnx`, row.artifact as ArtifactRef);
  return `mlflow-artifacts:/${folder}`;
};

const readRow = async ({ database }: ApiContext, { name, version }: VersionId): Promise<Row> => {
  const row = await database.selectFrom('registered_versions').select(['source', 'artifact', 'signature', 'run_id', 'created_at']).where('model', '=', name).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw notFound(`Model Version (name=${name}, version=${version}) not found`);
  return row;
};

/** The version that an address models:/name/version names. */
const namedVersion = (uri: string): VersionId | undefined => {
  const [, name, version] = /^models:\/([^/]+)\/([1-9]\d{0,8})$/.exec(uri) ?? [];
  return name === undefined ? undefined : { name: decodeURIComponent(name), version: Number(version) };
};

/** A source may name a logged model, a run's folder, or another version, which is followed. */
export const downloadUri = async (context: ApiContext, given: VersionId): Promise<string> => {
  let id = given;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const row = await readRow(context, id);
    if (row.source === null) return layOut(context, id, row);
    const [, modelId] = /^models:\/(m-[0-9a-zA-Z]+)$/.exec(row.source) ?? [];
    if (modelId !== undefined) return loggedModelUri(context.database, modelId);
    const [, runId, inside] = /^runs:\/([^/]+)\/(.*)$/.exec(row.source) ?? [];
    if (runId !== undefined) return `${await readArtifactUri(context.database, runId)}/${inside}`;
    const next = namedVersion(row.source);
    if (next === undefined) return row.source;
    id = next;
  }
  throw invalidValue(`The source of ${given.name} version ${given.version} leads through more than ${MOST_STEPS} other versions.`);
};
