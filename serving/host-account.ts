/** What the host processes of the served versions use: CPU and memory, in all and by day. Only ever grows, so that writing it again changes nothing. */
import type { ServingResources } from '../contracts/deployment.ts';

const BYTES_PER_GIB = 2 ** 30;
/** Days of versions that are no longer counted on are kept this many at most, for a database that is away. */
const MOST_ENTRIES = 10_000;

/** Looks nearer together than this would tell nothing new: a scrape asks for several metrics. */
const LEAST_MS = 200;

type Host = { name: string; pid: number | undefined };
type Look = { pid: number; cpuSeconds: number; at: number };
type Entry = { resources: ServingResources; written: string };

export type HostAccountParts = {
  hosts: () => readonly Host[];
  /** What a process with all that came from it has used and holds now. */
  readTree: (pid: number) => { pids: readonly number[]; cpuSeconds: number; memoryBytes: number; highestMemoryBytes: number };
  now?: () => Date;
};

export type HostAccount = {
  /** Looks at every host and adds what it used since the last look. */
  look(): void;
  /** CPU seconds so far and present memory of the hosts of a version. */
  of(name: string): { cpuSeconds: number; memoryBytes: number };
  /** Hands what changed since the last success to `write`. */
  flush(write: (changed: ServingResources[]) => Promise<void>): Promise<void>;
};

const partsOf = (name: string): { model: string; version: number } => {
  const slash = name.lastIndexOf('/');
  return { model: name.slice(0, slash), version: Number(name.slice(slash + 1)) };
};

export const createHostAccount = ({ hosts, readTree, now = () => new Date() }: HostAccountParts): HostAccount => {
  const looks = new Map<string, Look>();
  const totals = new Map<string, { cpuSeconds: number; memoryBytes: number }>();
  const days = new Map<string, Entry>();
  let lookedAt = 0;

  const entryOf = (name: string, day: string): ServingResources => {
    const key = `${day} ${name}`;
    let entry = days.get(key);
    if (entry === undefined) {
      entry = { resources: { ...partsOf(name), day, cpuSeconds: 0, memoryGibSeconds: 0, peakMemoryBytes: 0 }, written: '' };
      days.set(key, entry);
    }
    return entry.resources;
  };

  const lookAt = (name: string, pid: number, at: Date): void => {
    const tree = readTree(pid);
    if (tree.pids.length === 0) return;
    const last = looks.get(name);
    // Another process began at zero; what its predecessor used after the last look is lost with it.
    const isSame = last?.pid === pid;
    const cpuSeconds = Math.max(0, tree.cpuSeconds - (isSame ? last.cpuSeconds : 0));
    const seconds = isSame ? (at.getTime() - last.at) / 1_000 : 0;
    looks.set(name, { pid, cpuSeconds: tree.cpuSeconds, at: at.getTime() });
    const total = totals.get(name) ?? { cpuSeconds: 0, memoryBytes: 0 };
    totals.set(name, { cpuSeconds: total.cpuSeconds + cpuSeconds, memoryBytes: tree.memoryBytes });
    const resources = entryOf(name, at.toISOString().slice(0, 10));
    resources.cpuSeconds += cpuSeconds;
    resources.memoryGibSeconds += (tree.memoryBytes / BYTES_PER_GIB) * Math.max(0, seconds);
    resources.peakMemoryBytes = Math.max(resources.peakMemoryBytes, tree.highestMemoryBytes);
  };

  return {
    look: () => {
      const at = now();
      if (Math.abs(at.getTime() - lookedAt) < LEAST_MS) return;
      lookedAt = at.getTime();
      for (const { name, pid } of hosts()) if (pid !== undefined) lookAt(name, pid, at);
    },
    of: (name) => totals.get(name) ?? { cpuSeconds: 0, memoryBytes: 0 },
    flush: async (write) => {
      const changed = [...days].map(([key, entry]) => ({ key, entry, text: JSON.stringify(entry.resources) })).filter(({ entry, text }) => entry.written !== text);
      if (changed.length > 0) await write(changed.map(({ text }) => JSON.parse(text) as ServingResources));
      for (const { entry, text } of changed) entry.written = text;
      const today = now().toISOString().slice(0, 10);
      for (const [key, entry] of days) {
        const isOver = entry.resources.day < today && entry.written === JSON.stringify(entry.resources);
        if (isOver || days.size > MOST_ENTRIES) days.delete(key);
      }
    },
  };
};
