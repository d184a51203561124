/** `perennial up`: everything on this machine, in the foreground, until Ctrl-C. */
import { onEndSignals } from './end-signals.ts';
import { setUp } from './setup.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';
import { readConfig } from '../../workers/config.ts';

export type UpOptions = Omit<StackOptions, 'home' | 'signal' | 'log'> & {
  /** Folder of all state; default PERENNIAL_HOME or `.perennial` here. */
  home?: string;
  /** Where lines for the user go; default standard output. */
  print?: (line: string) => void;
};

const width = 'worker-workflows'.length;

/** Names in a column of their own, so that the lines of ten processes can be read apart. */
const prefixed = (name: string, line: string): string => `${name.padEnd(width)} | ${line}`;

const summary = (stack: Stack): string[] => [
  '',
  'Perennial is up.',
  `  Console      ${stack.urls.api}/console   (sign in with an API key)`,
  `  API          ${stack.urls.api}   (documentation at ${stack.urls.api}/docs)`,
  ...stack.urls.gateways.map((url, index) => `  Gateway ${index + 1}    ${url}`),
  `  Temporal UI  ${stack.urls.temporalUi}`,
  `  State        ${stack.config.home}`,
  ...(stack.adminKeyIsNew
    ? [`  Admin key    ${stack.adminKey}`, `               shown this once; the local command line finds it in ${stack.config.home}/admin-key`]
    : []),
  'Ctrl-C stops everything; the data stays.',
  '',
];

/**
 * Brings what is missing, starts everything, prints the addresses and stays until SIGINT, SIGTERM or SIGHUP.
 * @returns the exit code: 0 after a clean stop, 1 when the start failed (what failed is printed)
 */
export const up = async (options: UpOptions = {}): Promise<number> => {
  const print = options.print ?? ((line: string) => console.log(line));
  const ended = new AbortController();
  const hurried = new AbortController();
  const forget = onEndSignals(
    () => ended.abort(new Error('stopped by a signal')),
    () => hurried.abort(),
  );
  try {
    await setUp('runtime', print);
    const home = options.home ?? readConfig().home;
    const stack = await startStack({ ...options, home, signal: ended.signal, log: (name, line) => print(prefixed(name, line)) });
    for (const line of summary(stack)) print(line);
    await new Promise<void>((resolve) => {
      if (ended.signal.aborted) resolve();
      else ended.signal.addEventListener('abort', () => resolve());
    });
    print('stopping (running steps get up to 40 s; Ctrl-C again ends them at once)');
    hurried.signal.addEventListener('abort', () => void stack.stop({ graceMs: 0 }));
    await stack.stop();
    print('stopped, nothing is left running');
    return 0;
  } catch (error) {
    if (ended.signal.aborted) {
      print('stopped before everything was up');
      return 0;
    }
    print(`\nPerennial did not start:\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    forget();
  }
};
