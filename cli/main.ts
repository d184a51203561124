/** `perennial`: runs the command line of this process, and ends with an exit code that a script can trust. */
import { runCommandLine } from './command-line.ts';

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await runCommandLine(process.argv);
