/** Keys and workers. */
import type { Command } from 'commander';
import { openSession, segment } from '../session.ts';

type Key = { id: string; name: string; role: string; createdAt: string; revokedAt: string | null };
type MadeKey = { id: string; name: string; role: string; key: string | null };

const registerWorkers = (program: Command): void => {
  program
    .command('worker')
    .description('workers')
    .command('list')
    .description('pools and the workers with a live lease')
    .action(async (_options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ pools: { pool: string; workers: { workerId: string; host: string; pid: number; startedAt: string }[] }[] }>('/api/v1/workers');
      if (output.json) return output.document(answer);
      output.table(answer.pools.flatMap(({ pool, workers }) => (workers.length === 0 ? [{ pool, worker: 'none is running' }] : workers.map((worker) => ({ pool, worker: worker.workerId, ...worker })))), ['pool', 'worker', 'host', 'pid', 'startedAt']);
    });
};

export const registerKeyCommands = (program: Command): void => {
  const key = program.command('key').description('API keys (for admins)');
  key
    .command('create <name>')
    .description('make a key; it is shown this once')
    .requiredOption('--role <role>', 'viewer, author, approver, operator, predictor or admin')
    .action(async (name: string, { role }: { role: string }, command: Command) => {
      const { api, output } = openSession(command);
      const made = await api.post<MadeKey>('/api/v1/keys', { name, role });
      if (output.json) return output.document(made);
      output.say(`${made.key ?? ''}`);
      output.say(output.paint('dim', `key ${made.id} of role ${made.role}; it is kept nowhere, so note it now`));
    });
  key
    .command('list')
    .description('all keys, without the keys themselves')
    .action(async (_options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ keys: Key[] }>('/api/v1/keys');
      if (output.json) return output.document(answer);
      output.table(answer.keys.map((row) => ({ ...row })), ['id', 'name', 'role', 'createdAt', 'revokedAt']);
    });
  key
    .command('revoke <id>')
    .description('revoke a key: it stops within 5 seconds')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      await api.delete(`/api/v1/keys/${segment(id)}`);
      if (output.json) return output.document({ id, revoked: true });
      output.say(`revoked ${id}`);
    });
  registerWorkers(program);
};
