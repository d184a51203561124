/** What the exit code says. */
export const EXIT = {
  ok: 0,
  /** The run, the rollout or the check that was waited for did not succeed. */
  failed: 1,
  /** The command line, a file or the request is not valid. */
  usage: 2,
  /** The API, or something behind it, cannot be reached. */
  unreachable: 3,
  /** There is no key, or its role does not allow this. */
  denied: 4,
} as const;

/** An end that is told in words: what is wrong, and what can be done. */
export class CliFailure extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly fix: string;
  /** One line per mistake, such as `pipeline.yaml:12: …`. */
  readonly lines: string[];

  constructor(exitCode: number, { code, message, fix, lines = [] }: { code: string; message: string; fix: string; lines?: string[] }) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.fix = fix;
    this.lines = lines;
  }
}

export const usageFailure = (message: string, fix: string): CliFailure => new CliFailure(EXIT.usage, { code: 'Usage', message, fix });
