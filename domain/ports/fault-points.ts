/**
 * Named places in activities between two effects, where a fault test lets the process die (once per name and home folder).
 * In production it does nothing.
 */
export interface FaultPoints {
  reach(name: string): void;
}
