/** What the tracking API refuses, in MLflow's codes. */

/** Codes of MLflow's protocol that this server answers with, and their HTTP statuses. */
export const TRACKING_STATUSES = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  BAD_REQUEST: 400,
  INVALID_STATE: 400,
  RESOURCE_CONFLICT: 409,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  REQUEST_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  TEMPORARILY_UNAVAILABLE: 503,
} as const;
export type TrackingCode = keyof typeof TRACKING_STATUSES;

/** A request that cannot be granted; its message is shown to the user. */
export class TrackingRefusal extends Error {
  readonly code: TrackingCode;
  constructor(code: TrackingCode, message: string) {
    super(message);
    this.name = 'TrackingRefusal';
    this.code = code;
  }
}

export const notFound = (message: string): TrackingRefusal => new TrackingRefusal('RESOURCE_DOES_NOT_EXIST', message);
export const invalidValue = (message: string): TrackingRefusal => new TrackingRefusal('INVALID_PARAMETER_VALUE', message);
