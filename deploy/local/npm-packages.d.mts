/** Types of npm-packages.mjs, which is plain JavaScript because it runs before there is a TypeScript loader. */

/** Says what to install when Perennial does not run on this Node version, else undefined. */
export function nodeVersionProblem(version: string): string | undefined;

/** Says what is wrong with node_modules of the clone at `root`, or undefined when it is as package-lock.json says. */
export function npmPackagesProblem(root: string): string | undefined;

/**
 * Makes node_modules of the clone at `root` what package-lock.json says; quick when it is already.
 * @throws Error that says what to install or shows npm's last lines
 */
export function ensureNpmPackages(options: { root: string; log: (line: string) => void }): Promise<void>;

/**
 * Makes the links between shared libraries that the PostgreSQL packages list but an npm archive cannot hold.
 * @returns how many links were missing and are made now
 */
export function linkPostgresLibraries(packageFolder: string): number;
