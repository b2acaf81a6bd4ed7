/**
 * Makes the Python environment of the real clients: pinned packages below interop/.work, installed once and
 * kept.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Git-ignored. */
export const WORK = join(import.meta.dirname, '.work');

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const CONSTRAINTS = join(import.meta.dirname, 'constraints.txt');
const OLDEST = [3, 11] as const; // the pinned numpy needs it
const TRIES = 3; // for a slow or rate-limited registry; pip itself retries only broken connections

/** Environment of child processes. It hides the user's own tokens and proxies. */
export const CHILD_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: join(WORK, 'home'),
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
};

/**
 * Makes the environment if needed.
 *
 * @returns The path of its interpreter.
 * @throws Error that says what is missing on this machine.
 */
export function makePython(): string {
  const { command, version } = findPython();
  const key = createHash('sha256')
    .update(readFileSync(REQUIREMENTS))
    .update(readFileSync(CONSTRAINTS))
    .update(version)
    .digest('hex')
    .slice(0, 12);
  const folder = join(WORK, `python-${key}`),
    python = join(folder, 'bin', 'python'),
    complete = join(folder, 'complete');
  mkdirSync(CHILD_ENVIRONMENT.HOME!, { recursive: true });
  if (existsSync(complete)) return python;
  const began = performance.now();
  console.log(`making ${folder} with Python ${version}`);
  rmSync(folder, { recursive: true, force: true });
  install(makeEnvironment(command, folder, python));
  writeFileSync(complete, `${version}\n`);
  console.log(`made in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return python;
}

function findPython(): { command: string; version: string } {
  const candidates = [
    ...(process.env.PYTHON ? [process.env.PYTHON] : []),
    'python3',
    'python3.11',
    'python3.12',
    'python3.13',
    'python',
  ];
  const seen: string[] = [];
  for (const command of candidates) {
    const { status, stdout } = spawnSync(
      command,
      ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'],
      { encoding: 'utf8' },
    );
    if (status !== 0) continue;
    const version = stdout.trim(),
      [major, minor] = version.split('.').map(Number);
    if (major === OLDEST[0] && minor >= OLDEST[1]) return { command, version };
    seen.push(`${command} is ${version}`);
  }
  throw new Error(
    `the real clients need Python ${OLDEST.join('.')} or later (${seen.join(', ') || 'found none in PATH'}). Set PYTHON=/path/to/python3 to use another interpreter.`,
  );
}

/**
 * Makes an empty virtual environment.
 *
 * @returns The command that runs pip for it.
 */
function makeEnvironment(command: string, folder: string, python: string): string[] {
  if (spawnSync(command, ['-m', 'venv', folder], { stdio: 'ignore' }).status === 0)
    return [python, '-m', 'pip'];
  // On Debian, `venv` can install pip only if the package python3-venv is there. A pip of the machine works,
  // too.
  const bare = spawnSync(command, ['-m', 'venv', '--clear', '--without-pip', folder], { encoding: 'utf8' });
  const pip = [command, '-m', 'pip', '--python', python];
  if (
    bare.status === 0 &&
    spawnSync(pip[0], [...pip.slice(1), '--version'], { stdio: 'ignore' }).status === 0
  )
    return pip;
  throw new Error(
    `${command} cannot make a virtual environment: it has neither ensurepip nor pip (Debian: apt-get install python3-venv)${bare.stderr ? `\n${bare.stderr.trim()}` : ''}`,
  );
}

function install(pip: readonly string[]): void {
  const args = [
    'install',
    '--quiet',
    '--no-input',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '--retries',
    '10',
    '--timeout',
    '60',
    '-r',
    REQUIREMENTS,
    '-c',
    CONSTRAINTS,
  ];
  for (let left = TRIES; ; left--) {
    try {
      execFileSync(pip[0], [...pip.slice(1), ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
      return;
    } catch (error) {
      if (left === 1) throw new Error(`pip failed ${TRIES} times. Its message is above.`, { cause: error });
    }
  }
}
