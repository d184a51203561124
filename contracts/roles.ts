/**
 * Roles of API keys. `admin` may do everything; the others are sets of permissions, not a ladder:
 * a predictor can only send inference requests and labels.
 */
export const ROLES = ['viewer', 'author', 'approver', 'operator', 'predictor', 'admin'] as const;
export type Role = (typeof ROLES)[number];
