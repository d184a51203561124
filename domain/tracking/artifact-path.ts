/** Paths and addresses of artifacts that this server keeps. */
import { invalidValue } from './refusal.ts';

const LONGEST = 2_000;
const SCHEME = 'mlflow-artifacts:';

/** Folder of what only Perennial itself writes: the models of its pipelines. */
export const OWN_FOLDER = 'perennial';

/** A path without empty parts at its ends. @throws TrackingRefusal for one that would leave its folder, or is no path */
export const artifactPath = (given: string): string => {
  const path = given.replace(/^\/+|\/+$/g, '');
  const refused = path.length > LONGEST || path.split('/').some((part) => part === '..' || part === '.') || /[\0\\]|\/\//.test(path);
  if (refused) throw invalidValue(`Invalid path: ${given.slice(0, 200)}`);
  return path;
};

/** The path that an address `mlflow-artifacts:/…` names here; undefined for an address of another store. */
export const pathOfUri = (uri: string): string | undefined => {
  if (!uri.startsWith(SCHEME)) return undefined;
  const rest = uri.slice(SCHEME.length);
  return artifactPath(rest.startsWith('//') ? rest.slice(2).replace(/^[^/]*/, '') : rest);
};
