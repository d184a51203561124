/**
 * A part of set-up: one tool that must be on this machine. Set-up first finds all parts, then tries the quick
 * downloads, then asks every part left over what is missing for it, and only then begins the long builds: so a
 * missing prerequisite is told in the first seconds, with all the others, not after five minutes.
 */
export type Progress = (what: string) => void;

export type Part = {
  /** What a user reads in the progress lines. */
  name: string;
  /** Path of the tool when it is there; looks at files only, runs nothing. */
  find: () => string | undefined;
  /** Runs the found tool once. @throws Error when it does not work */
  verify: (path: string) => Promise<string>;
  /** Gets the finished tool from its publisher; undefined when that cannot be reached within seconds. */
  download?: (progress: Progress) => Promise<string | undefined>;
  /** What to install before `build` can work, or undefined when all is there. */
  prerequisite: () => Promise<string | undefined>;
  /** Makes the tool. @throws Error */
  build: (progress: Progress) => Promise<string>;
};
