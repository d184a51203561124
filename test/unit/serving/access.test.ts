import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAccess } from '../../../serving/access.ts';

const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
const keys = [
  { keyHash: hash('perennial_predictor'), role: 'predictor' },
  { keyHash: hash('perennial_viewer'), role: 'viewer' },
  { keyHash: hash('perennial_odd'), role: 'emperor' },
];

test('a key is known by its hash, and its role decides', () => {
  const access = createAccess();
  access.replace(keys);
  expect(() => access.check('Bearer perennial_predictor', 'infer')).not.toThrow();
  expect(() => access.check('bearer perennial_predictor', 'read')).not.toThrow();
  expect(() => access.check('Bearer perennial_viewer', 'read')).not.toThrow();
  expect(() => access.check('Bearer perennial_viewer', 'infer')).toThrow('The role viewer may not send inference requests.');
});

test.each([undefined, '', 'Bearer ', 'Bearer perennial_wrong', 'Bearer perennial_odd', 'Basic perennial_predictor', 'perennial_predictor', `Bearer ${hash('perennial_predictor')}`, 'Bearer perennial_predictor x'])(
  '%j is nobody',
  (authorization) => {
    const access = createAccess();
    access.replace(keys);
    expect(() => access.check(authorization, 'read')).toThrow('A valid API key is needed');
  },
);

test('a revoked key is nobody as soon as the list is replaced', () => {
  const access = createAccess();
  expect(access.replace(keys)).toBe(true);
  expect(access.replace([...keys])).toBe(false);
  access.check('Bearer perennial_predictor', 'infer');
  expect(access.replace(keys.slice(1))).toBe(true);
  expect(() => access.check('Bearer perennial_predictor', 'infer')).toThrow('A valid API key is needed');
});

test('before the first list has come nobody is refused: requests wait for it, bounded', async () => {
  const access = createAccess({ waitMs: 10 });
  expect(access.isKnown()).toBe(false);
  await expect(access.known()).rejects.toMatchObject({ code: 'ModelUnavailable' });
  const known = access.known();
  access.replace([]);
  await known;
  expect(access.isKnown()).toBe(true);
});
