/** Words of gate decisions. Every "no" says which number it was, or which is missing. */
import type { GateSpec } from '../contracts/gate.ts';
import type { GateDecision } from '../contracts/run.ts';

export const isNumber = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

export const show = (value: number): string => String(Number(value.toPrecision(4)));

export const no = (gate: string, reason: string): GateDecision => ({ gate, passed: false, reason });
export const yes = (gate: string, reason: string): GateDecision => ({ gate, passed: true, reason });

/** The name under which a gate is recorded and shown. */
export const gateName = (gate: GateSpec): string => {
  if (gate.kind === 'slice') return `slice ${gate.column} ${gate.metric}`;
  if (gate.kind === 'fairness') return `fairness ${gate.column} ${gate.measure}`;
  return 'metric' in gate ? `${gate.kind} ${gate.metric}` : gate.kind;
};

/** Why a value is outside of its bounds; null when it is within. */
export const outside = (value: number, { min, max }: { min?: number | undefined; max?: number | undefined }): string | null => {
  if (min !== undefined && !(value >= min)) return `below ${show(min)}`;
  if (max !== undefined && !(value <= max)) return `above ${show(max)}`;
  return null;
};
