/** Failures as gRPC says them: a status code, the same words as in HTTP, and the stable code of the failure in the trailer x-perennial-error. */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import type { FailureCode } from '../../contracts/failures.ts';
import { publicFailure } from '../public-failure.ts';

const BY_CODE: Partial<Record<FailureCode, status>> = {
  InferenceInvalid: status.INVALID_ARGUMENT,
  MalformedBody: status.INVALID_ARGUMENT,
  PayloadTooLarge: status.RESOURCE_EXHAUSTED,
  Unauthenticated: status.UNAUTHENTICATED,
  PermissionDenied: status.PERMISSION_DENIED,
  RouteNotFound: status.UNIMPLEMENTED,
  ModelNotFound: status.NOT_FOUND,
  ModelVersionNotFound: status.NOT_FOUND,
  ManagedByRollouts: status.FAILED_PRECONDITION,
  Overloaded: status.RESOURCE_EXHAUSTED,
  ModelUnavailable: status.UNAVAILABLE,
  PredictionLogUnavailable: status.UNAVAILABLE,
  ModelFailed: status.INTERNAL,
};

/** Codes after which the same request may be sent again. */
const RETRY_AFTER: Partial<Record<FailureCode, string>> = { Overloaded: '1', ModelUnavailable: '1', PredictionLogUnavailable: '5' };

/** Half a character, as the shortening of a client's text may leave it, cannot be sent. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** @returns the status, and the HTTP status under which the request is counted */
export const grpcFailure = (error: unknown): { sent: StatusObject; httpStatus: number } => {
  const { code, status: httpStatus, message } = publicFailure(error);
  const metadata = new Metadata();
  metadata.set('x-perennial-error', code);
  const retryAfter = RETRY_AFTER[code];
  if (retryAfter !== undefined) metadata.set('retry-after', retryAfter);
  return { sent: { code: BY_CODE[code] ?? status.INTERNAL, details: message.replace(LONE_SURROGATE, '�'), metadata }, httpStatus };
};
