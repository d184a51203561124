/** Values that were sent in another datatype than that of the signature. */
import { expect } from 'vitest';

/** What becomes of the ATTEMPTS of test/clients/typed_tensors.py. */
export const CONVERSIONS = [
  Math.fround(0.1),
  2 ** 24,
  '"16777217" is not a number that fits FP32',
  expect.stringContaining('is not a number that fits FP32'),
  0.5,
  -1.5,
  127,
  '"128" is not a whole number from -128 to 127',
  7,
  '"7.5" is not a whole number of 32 bits',
  '"-1" is not a whole number from 0 to 255',
  '"9007199254740992" is not a whole number of at most 2^53 - 1',
  'is "UINT8", input "bool" is BOOL',
  'is "BOOL", input "fp32" is FP32',
] as const;
