import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attributeGpus, createGpuReader, parseComputeApps } from '../../../adapters/resources/nvidia.ts';

const MIB = 2 ** 20;
const A = 'GPU-0aa1b2c3-1111-2222-3333-444455556666';
const B = 'GPU-1bb1b2c3-1111-2222-3333-444455556666';

describe('lines of nvidia-smi', () => {
  it('are read, and what is none is left out', () => {
    expect(parseComputeApps([`${A}, 4242, 512`, `${B}, 17, [N/A]`, 'No running processes found', '', `${A}, x, 3`])).toEqual([
      { gpu: A, pid: 4242, memoryBytes: 512 * MIB },
      { gpu: B, pid: 17, memoryBytes: 0 },
    ]);
  });
});

describe('GPUs', () => {
  const apps = [{ gpu: A, pid: 10, memoryBytes: 1 }, { gpu: A, pid: 11, memoryBytes: 2 }, { gpu: B, pid: 10, memoryBytes: 4 }];
  it('are those that processes of the work hold', () => {
    expect(attributeGpus(apps, [[10], [11, 12], [13]], () => true)).toEqual([{ gpus: 2, memoryBytes: 5 }, { gpus: 1, memoryBytes: 2 }, { gpus: 0, memoryBytes: 0 }]);
  });
  it('are the only work\'s where process ids mean nothing here, and nobody\'s where there are several', () => {
    expect(attributeGpus(apps, [[1]], () => false)).toEqual([{ gpus: 2, memoryBytes: 7 }]);
    expect(attributeGpus(apps, [[1], [2]], () => false)).toEqual([{ gpus: 0, memoryBytes: 0 }, { gpus: 0, memoryBytes: 0 }]);
  });
});

describe('a reader', () => {
  it('is none where there is no nvidia-smi', () => expect(createGpuReader('/nowhere')).toBeUndefined());

  it('follows nvidia-smi while it is started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perennial-nvidia-'));
    const command = join(folder, 'nvidia-smi');
    writeFileSync(command, `#!/bin/sh\nwhile true; do echo '${A}, 77, 3'; sleep 1; done\n`);
    chmodSync(command, 0o755);
    const reader = createGpuReader(folder);
    try {
      expect(reader?.latest()).toEqual([]);
      reader?.start();
      await expect.poll(() => reader?.latest().map(({ pid, memoryBytes }) => ({ pid, memoryBytes })), { timeout: 5_000 }).toEqual([{ pid: 77, memoryBytes: 3 * MIB }]);
      reader?.stop();
      expect(reader?.latest()).toEqual([]);
    } finally {
      reader?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
