/**
 * Measures work in this process and the processes that it starts. Node announces every new child process on a diagnostics channel, in
 * the asynchronous context of the work that starts it: so no code that starts one needs to know of this.
 *
 * CPU of an ended child is exact (the kernel adds it to ours when the child is waited for, in hundredths of a second); memory and GPUs
 * are looked at a few times a second. A process that outlives its parent is seen while it lives and not waited for by us.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { AttemptUse } from '../../contracts/resources.ts';
import type { ResourceMeter } from '../../domain/ports/resource-meter.ts';
import { attributeGpus, type GpuReader } from './nvidia.ts';
import { endedChildrenCpuSeconds, readTree } from './process-tree.ts';

const SAMPLE_MS = 250;
const BYTES_PER_GIB = 2 ** 30;

/** A child under way: what its tree was last seen to be. */
type Followed = { pid: number; cpuSeconds: number; pids: number[] };

type Measurement = { startedAt: number; use: AttemptUse; children: Map<number, Followed> };

type MeterState = {
  active: Set<Measurement>;
  /** CPU of this process when it was last shared out, in microseconds. */
  ownCpu: number;
  /** CPU of ended children when one was last accounted for, in seconds. */
  endedCpu: number;
  sampledAt: number;
  timer: NodeJS.Timeout | undefined;
  gpus: GpuReader | undefined;
};

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Shares what this process used since the last time among the work that ran; idle time is nobody's. */
const shareOwnCpu = (state: MeterState): void => {
  const now = ownCpu();
  for (const { use } of state.active) use.cpuSeconds += (now - state.ownCpu) / 1e6 / state.active.size;
  state.ownCpu = now;
};

const sampleMeasurement = ({ use, children }: Measurement, seconds: number): void => {
  let memoryBytes = 0;
  for (const child of children.values()) {
    const tree = readTree(child.pid);
    if (tree.pids.length === 0) continue;
    Object.assign(child, { pids: tree.pids, cpuSeconds: Math.max(child.cpuSeconds, tree.cpuSeconds) });
    memoryBytes += tree.memoryBytes;
    use.peakMemoryBytes = Math.max(use.peakMemoryBytes, tree.highestMemoryBytes);
  }
  use.peakMemoryBytes = Math.max(use.peakMemoryBytes, memoryBytes);
  use.memoryGibSeconds += (memoryBytes / BYTES_PER_GIB) * seconds;
};

const sampleGpus = ({ gpus, active }: MeterState, seconds: number): void => {
  const apps = gpus?.latest() ?? [];
  if (apps.length === 0) return;
  const working = [...active].filter(({ children }) => children.size > 0);
  const held = attributeGpus(apps, working.map(({ children }) => [...children.values()].flatMap(({ pids }) => pids)));
  for (const [index, { use }] of working.entries()) {
    use.gpuSeconds += (held[index]?.gpus ?? 0) * seconds;
    use.gpuPeakMemoryBytes = Math.max(use.gpuPeakMemoryBytes, held[index]?.memoryBytes ?? 0);
  }
};

const sample = (state: MeterState): void => {
  const now = performance.now();
  const seconds = (now - state.sampledAt) / 1_000;
  state.sampledAt = now;
  for (const measurement of state.active) sampleMeasurement(measurement, seconds);
  sampleGpus(state, seconds);
};

/** Looks only while somebody has processes. */
const keepSampling = (state: MeterState): void => {
  const isNeeded = [...state.active].some(({ children }) => children.size > 0);
  if (isNeeded && state.timer === undefined) {
    state.sampledAt = performance.now();
    state.timer = setInterval(() => sample(state), SAMPLE_MS);
    state.timer.unref();
    state.gpus?.start();
  } else if (!isNeeded && state.timer !== undefined) {
    clearInterval(state.timer);
    state.timer = undefined;
    state.gpus?.stop();
  }
};

/**
 * Accounts for a child that ended. The kernel may have waited for another one of ours too, whose turn comes next: what that was last seen
 * to have used is left for it.
 */
const settleChild = (state: MeterState, measurement: Measurement, child: Followed): void => {
  const now = endedChildrenCpuSeconds();
  const others = [...state.active].flatMap(({ children }) => [...children.values()]).filter((other) => other !== child && readTree(other.pid).pids.length === 0);
  const left = others.reduce((sum, other) => sum + other.cpuSeconds, 0);
  const used = Math.max(child.cpuSeconds, now - state.endedCpu - left);
  state.endedCpu = Math.min(now, state.endedCpu + used);
  measurement.use.cpuSeconds += used;
  measurement.children.delete(child.pid);
};

const follow = (state: MeterState, measurement: Measurement, child: ChildProcess): void => {
  if (child.pid === undefined) return;
  const followed: Followed = { pid: child.pid, cpuSeconds: 0, pids: [child.pid] };
  if (![...state.active].some(({ children }) => children.size > 0)) state.endedCpu = endedChildrenCpuSeconds();
  measurement.children.set(child.pid, followed);
  keepSampling(state);
  child.once('exit', () => {
    settleChild(state, measurement, followed);
    keepSampling(state);
  });
};

const begin = (attempt: Parameters<ResourceMeter['measure']>[0]): Measurement => ({
  startedAt: performance.now(),
  use: { ...attempt, durationSeconds: 0, cpuSeconds: 0, memoryGibSeconds: 0, peakMemoryBytes: 0, gpuSeconds: 0, gpuPeakMemoryBytes: 0, storedBytes: 0 },
  children: new Map(),
});

/** What ended is counted; what still runs is taken as it was last seen. */
const useOf = ({ startedAt, use, children }: Measurement): AttemptUse => ({
  ...use,
  durationSeconds: (performance.now() - startedAt) / 1_000,
  cpuSeconds: [...children.values()].reduce((sum, child) => sum + child.cpuSeconds, use.cpuSeconds),
});

/** The meter of this process; `gpus` is undefined where there is none. One per process: two would follow the same children twice. */
export const createResourceMeter = ({ gpus }: { gpus: GpuReader | undefined }): ResourceMeter => {
  const contexts = new AsyncLocalStorage<Measurement | undefined>();
  const state: MeterState = { active: new Set(), ownCpu: ownCpu(), endedCpu: endedChildrenCpuSeconds(), sampledAt: performance.now(), timer: undefined, gpus };
  subscribe('child_process', (message) => {
    const measurement = contexts.getStore();
    const { process: child } = message as { process: ChildProcess };
    // It is announced before it is started; timers that are set here must not count as the work's.
    if (measurement !== undefined) process.nextTick(() => contexts.run(undefined, () => follow(state, measurement, child)));
  });
  return {
    measure: async (attempt, work) => {
      const measurement = begin(attempt);
      shareOwnCpu(state);
      state.active.add(measurement);
      try {
        return await contexts.run(measurement, work);
      } finally {
        shareOwnCpu(state);
        state.active.delete(measurement);
      }
    },
    current: () => {
      const measurement = contexts.getStore();
      if (measurement === undefined) return undefined;
      if (state.active.has(measurement)) shareOwnCpu(state);
      return useOf(measurement);
    },
    stored: (bytes) => {
      const measurement = contexts.getStore();
      if (measurement !== undefined) measurement.use.storedBytes += bytes;
    },
  };
};
