/** Steady load on a model: a few loops that send one row after the other until they are told to stop. */
import { createClient, type Answer } from './client.ts';

export type Load = {
  /** All answers so far. */
  answers: Answer[];
  /** Ends the load; throws when a request got no answer at all. */
  stop(): Promise<Answer[]>;
};

/** @param x row of the n-th request */
export const startLoad = (url: string, { key, model, x, loops = 8 }: { key: string; model: string; x: (request: number) => readonly number[]; loops?: number }): Load => {
  const client = createClient(url, key);
  const answers: Answer[] = [];
  let isStopped = false;
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      const request = (sent += 1);
      answers.push(await client.infer(model, x(request), { 'x-request-id': `${model}-${request}` }));
    }
  };
  const running = Promise.all(Array.from({ length: loops }, loop));
  running.catch(() => (isStopped = true));
  return {
    answers,
    stop: async () => {
      isStopped = true;
      await running;
      await client.close();
      return answers;
    },
  };
};

export const failed = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status !== 200);
export const byVersion = (answers: readonly Answer[], version: number): Answer[] => answers.filter(({ body }) => body.model_version === String(version));
