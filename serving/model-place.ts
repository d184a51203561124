/** How a client names a model and a version of it, in any protocol. What does not fit the pattern is not there. */
import { NAME_PATTERN } from '../contracts/ids.ts';
import { PerennialFailure } from '../domain/failure.ts';

/** `version` is undefined where the client leaves the choice to the deployment. */
export type ModelPlace = { model: string; version: number | undefined };

const VERSION = /^[1-9]\d{0,8}$/;

/** @throws PerennialFailure ModelVersionNotFound */
export const versionOf = (text: string): number => {
  if (!VERSION.test(text)) throw new PerennialFailure('ModelVersionNotFound', 'A version is a whole number from 1.');
  return Number(text);
};

/** @throws PerennialFailure ModelNotFound */
export const modelNameOf = (text: string): string => {
  if (!NAME_PATTERN.test(text)) throw new PerennialFailure('ModelNotFound', 'There is no model of this name: it is not a name.');
  return text;
};
