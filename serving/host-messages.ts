/** What a gateway and its model hosts say to each other, besides tensors (host-frames.ts). */
import type { FailureCode } from '../contracts/failures.ts';
import type { ModelSignature } from '../contracts/features.ts';

export type LoadRequest = { path: string; sha256: string; signature: ModelSignature; threads: number; memoryLimitBytes: number };

export type HostNotice = { type: 'loaded' } | { type: 'failed'; code: FailureCode; message: string };
