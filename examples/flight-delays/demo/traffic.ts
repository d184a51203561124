/** Live traffic of the demo: sends rows at a steady concurrency, counts every answer, keeps what the labels need. */
import { setTimeout as pause } from 'node:timers/promises';
import type { GatewayClient, InferenceRow, ModelInput } from './gateway-client.ts';

/** A row to send, and the truth that is known only later. */
export type LabelledRow = { id: string; inputs: InferenceRow; label: number };

export type TrafficCounts = { sent: number; failed: number; byVersion: Record<string, number>; failures: string[] };

/** One answered row: the ground truth can be sent for it. */
export type Answered = { inferenceId: string; label: number; version: number };

/** Counters over the whole demo; every sender adds to the same ones. */
export const createTraffic = (client: GatewayClient) => {
  const counts: TrafficCounts = { sent: 0, failed: 0, byVersion: {}, failures: [] };
  let inputList: ModelInput[] | undefined;

  const sendOne = async (row: LabelledRow): Promise<Answered | undefined> => {
    inputList ??= await client.inputs();
    counts.sent += 1;
    try {
      const answer = await client.infer(row.inputs, inputList);
      counts.byVersion[answer.version] = (counts.byVersion[answer.version] ?? 0) + 1;
      return { inferenceId: answer.inferenceId, label: row.label, version: answer.version };
    } catch (error) {
      counts.failed += 1;
      if (counts.failures.length < 20) counts.failures.push(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  /** Sends the rows once, `concurrency` at a time. */
  const sendAll = async (rows: LabelledRow[], concurrency = 8): Promise<Answered[]> => {
    const answered: Answered[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < rows.length) {
        const result = await sendOne(rows[next++]!);
        if (result !== undefined) answered.push(result);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return answered;
  };

  /** Sends the rows again and again at about `perSecond` until stopped; returns what was answered. */
  const start = (rows: LabelledRow[], perSecond: number): { stop: () => Promise<Answered[]> } => {
    const answered: Answered[] = [];
    const inFlight = new Set<Promise<void>>();
    let stopped = false;
    const startedAt = performance.now();
    const loop = async (): Promise<void> => {
      for (let sent = 0; !stopped; ) {
        const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
        for (; sent < due && inFlight.size < 200; sent += 1) {
          const task: Promise<void> = sendOne(rows[sent % rows.length]!).then((result) => {
            if (result !== undefined) answered.push(result);
            inFlight.delete(task);
          });
          inFlight.add(task);
        }
        await pause(5);
      }
      await Promise.all(inFlight);
    };
    const running = loop();
    return {
      stop: async () => {
        stopped = true;
        await running;
        return answered;
      },
    };
  };

  return { counts, sendAll, start };
};

export type Traffic = ReturnType<typeof createTraffic>;
