/** Stands for a worker in the test that kills one: trains with a stubborn trainer until it is killed. Arguments: folder of the job. */
import { join } from 'node:path';
import { createTrainerProcess } from '../../../adapters/trainers/process.ts';
import { command, createJob } from './job.ts';

const [, , folder = ''] = process.argv;
const trainer = createTrainerProcess({ python: 'python3', home: join(folder, 'home'), graceMs: 300 });
const job = await createJob(command('stubborn'));
const placed = { ...job, outputFolder: join(folder, 'output'), checkpointFolder: join(folder, 'checkpoints') };
await trainer.train(placed, { signal: new AbortController().signal, onProgress: () => console.log('training'), onCheckpoint: () => undefined });
