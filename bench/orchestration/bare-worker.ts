/** The peer's worker: one process, workflows and activities in it, options as the SDK sets them. Its argument is the server's address. */
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

export const bareActivities = {
  noop: async (_input: { step: number }): Promise<{ done: true }> => ({ done: true }),
};

export const BARE_TASK_QUEUE = 'bare';

const main = async (address: string): Promise<void> => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./bare-workflow.ts', import.meta.url));
  const worker = await Worker.create({ connection, taskQueue: BARE_TASK_QUEUE, workflowsPath, activities: bareActivities });
  const running = worker.run();
  console.log('{"ready":true}');
  await running;
  await connection.close();
};

if (import.meta.filename === process.argv[1]) await main(process.argv[2] ?? '127.0.0.1:7233');
