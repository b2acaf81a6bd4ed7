/**
 * `npm run release -- [minor | patch | VERSION] [--dry-run] [--publish]`: makes a release out of the branch `main`.
 *
 * It checks the release in a copy of the checkout first, so that a failure changes nothing. Then it writes CHANGELOG.md and the version,
 * commits and tags them. `--dry-run` stops after the checks. `--publish` also runs `npm publish`. It never pushes.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cut, nextVersion, sectionOf, stepOf, unreleased } from './changelog.ts';
import { faultsOf, type Tarball } from './tarball.ts';

const ROOT = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'dry-run': { type: 'boolean' }, publish: { type: 'boolean' } },
});
const dryRun = values['dry-run'] ?? false;

class Refusal extends Error {}

const say = (text: string): void => console.log(text);
const step = (text: string): void => say(`\n-- ${text}`);
const output = (command: string, args: readonly string[], cwd = ROOT): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
const run = (command: string, args: readonly string[], cwd = ROOT): void =>
  void execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });

/** Stops a release. A dry run goes on, and says what would stop it. */
function refuse(reason: string): void {
  if (!dryRun) throw new Refusal(reason);
  say(`A release would stop here: ${reason}`);
}

interface Plan {
  version: string;
  changelog: string;
  /** False if CHANGELOG.md and package.json name this version already. */
  isNew: boolean;
}

/** Decides the version: the one that was cut and not tagged yet, or the next one. */
function plan(): Plan {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const isTagged = output('git', ['tag', '--list', `v${version}`]) !== '';
  const current = { version, changelog, isNew: false };
  if (!isTagged && sectionOf(changelog, version) !== undefined && positionals.length === 0) return current;
  if (unreleased(changelog) === '') {
    refuse('CHANGELOG.md has nothing under "Unreleased"');
    return current;
  }
  const [asked = stepOf(changelog)] = positionals;
  const next = asked === 'minor' || asked === 'patch' ? nextVersion(version, asked) : asked;
  nextVersion(next, 'patch'); // throws if it is not of the right form
  return {
    version: next,
    changelog: cut(changelog, next, new Date().toISOString().slice(0, 10)),
    isNew: true,
  };
}

/** The file that names the version in the User-Agent header. */
const USER_AGENT = 'lib/http/user-agent.ts';

/** Writes the version and the changelog of the release into a checkout. */
function writeRelease(folder: string, { version, changelog }: Plan): void {
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
  const source = readFileSync(join(folder, USER_AGENT), 'utf8');
  writeFileSync(
    join(folder, USER_AGENT),
    source.replace(/graphene-points\/[\d.]+/, `graphene-points/${version}`),
  );
  output(
    'npm',
    ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts'],
    folder,
  );
}

/** Copies what git holds to a folder. */
function copyTo(folder: string): void {
  mkdirSync(folder);
  for (const file of output('git', ['ls-files', '-z', '--cached'])
    .split('\0')
    .filter((path) => path && existsSync(join(ROOT, path))))
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

function release(scratch: string): void {
  step('the checkout');
  const branch = output('git', ['branch', '--show-current']);
  say(`branch ${branch || '(none)'}`);
  if (branch !== 'main') refuse(`releases are made on main, not on ${branch || 'a detached HEAD'}`);
  const dirty = output('git', ['status', '--porcelain']);
  if (dirty) refuse(`files are not committed:\n${dirty}`);

  step('the version and the changelog');
  const planned = plan();
  say(`version ${planned.version}${planned.isNew ? '' : ', as package.json and CHANGELOG.md have it'}\n`);
  say(sectionOf(planned.changelog, planned.version)!);

  step('pack');
  const copy = join(scratch, 'copy');
  copyTo(copy);
  writeRelease(copy, planned);
  const packed = output('npm', ['pack', '--json', '--pack-destination', scratch], copy);
  const [tarball] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [Tarball];
  const file = join(scratch, tarball.filename);
  say(`${tarball.filename}: ${tarball.files.length} files, ${Math.round(tarball.size / 1000)} kB`);
  const faults = faultsOf(tarball);
  if (faults.length > 0) throw new Refusal(`the tarball is not as it should be:\n${faults.join('\n')}`);

  step('publint');
  run('npx', ['--no-install', 'publint', 'run', file, '--strict']);

  step('attw');
  run('npx', ['--no-install', 'attw', file, '--profile', 'esm-only']);

  if (dryRun) return say('\nThe dry run is done. Nothing was changed.');

  step('commit and tag');
  if (planned.isNew) {
    writeRelease(ROOT, planned);
    run('git', ['add', 'CHANGELOG.md', 'package.json', 'package-lock.json', USER_AGENT]);
    run('git', ['commit', '--quiet', '--message', `Release ${planned.version}`]);
  }
  run('git', ['tag', '--annotate', `v${planned.version}`, '--message', planned.version]);

  step('publish');
  if (values.publish) run('npm', ['publish', file]);
  else say(`Not published. To publish: npm publish, in this checkout. To push: git push --follow-tags`);
}

const scratch = mkdtempSync(join(tmpdir(), 'release-'));
try {
  release(scratch);
} catch (error) {
  if (!(error instanceof Refusal || error instanceof RangeError)) throw error;
  console.error(`No release: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
