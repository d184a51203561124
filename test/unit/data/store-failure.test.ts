/** What errors of disk and network become. */
import { describe, expect, it } from 'vitest';
import { storeFailure } from '../../../adapters/objectstore/store-failure.ts';
import { PerennialFailure } from '../../../domain/failure.ts';

const withCode = (code: string): Error => Object.assign(new Error('https://key:secret@host refused'), { code });

describe('errors of an artifact store', () => {
  it.each(['ENOSPC', 'EDQUOT', 'XMinioStorageFull'])('%s is a full disk, which is retried', (code) => {
    expect(storeFailure(withCode(code), 'the store')).toMatchObject({ code: 'DiskFull', retryable: true });
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', 'EIO', 'EACCES', 'EMFILE', 'AccessDenied', 'SlowDown', 'NoSuchBucket'])('%s is an outage, which is retried', (code) => {
    const failure = storeFailure(withCode(code), 'the store');
    expect(failure).toMatchObject({ code: 'ArtifactStoreUnavailable', retryable: true });
    expect(failure.message).toContain(code);
    expect(failure.message).not.toContain('secret');
  });

  it('lets a failure that has its name already through', () => {
    const failure = new PerennialFailure('ArtifactCorrupt', 'x');
    expect(storeFailure(failure, 'the store')).toBe(failure);
  });
});
