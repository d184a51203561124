// Leads the process group of one training and outlives it by a moment: node watch.mjs <grace ms> <command> [arguments].
//
// The worker holds the other end of stdin. When the worker dies, however it dies, stdin ends here, and the group is told to stop and
// then killed: nobody would take its result. When the trainer ends, its end is reported on descriptor 4 and the whole group is killed,
// so that no process it forked stays behind. Plain JavaScript: it must start fast and need no loader.
import { spawn } from 'node:child_process';
import { closeSync, writeFileSync, writeSync } from 'node:fs';

const [graceMs = '', command = '', ...args] = process.argv.slice(2);
const STATUS_FD = 4;

// The signal is for the trainer; it goes to the group, of which this process is one.
process.on('SIGTERM', () => {});

const killGroup = () => process.kill(-process.pid, 'SIGKILL');

const end = (status) => {
  try {
    writeSync(STATUS_FD, JSON.stringify(status));
  } catch {
    // The worker is gone.
  }
  killGroup();
};

try {
  // When memory runs out, the kernel is to take the training and not the worker. What is started from here inherits it.
  writeFileSync('/proc/self/oom_score_adj', '500');
} catch {
  // Not Linux, or not allowed.
}

const trainer = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 3] });
closeSync(3);
trainer.once('error', (error) => end({ error: error.code ?? 'unknown' }));
trainer.once('exit', (code, signal) => end({ code, signal }));

process.stdin.once('close', () => {
  process.kill(-process.pid, 'SIGTERM');
  setTimeout(killGroup, Number(graceMs));
});
process.stdin.resume();
