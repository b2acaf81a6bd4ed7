/**
 * What all specs of one run share. Jest calls it once, before the workers start.
 * - Programs that specs start as processes are bundled here: to compile them at each start takes a second.
 * - Temporary files lie in memory where there is room: specs of caches and snapshots wait for the disk otherwise.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const PROGRAMS = [
  'lib/cli/main.ts',
  'spec/cache/hammer.ts',
  'spec/graphene/outage-run.ts',
  'spec/graphene/shortage-run.ts',
  'spec/http/proxy-run.ts',
];
const MEMORY = '/dev/shm',
  ROOM_BYTES = 2 ** 30;

/** @returns Where temporary files go: in memory on Linux, if a GiB is free there. */
function temporaryFolder() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return mkdtempSync(join(bavail * bsize >= ROOM_BYTES ? MEMORY : tmpdir(), 'graphene-points-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'graphene-points-'));
  }
}

export default async function setUp() {
  // Inside the project, where the programs find their packages.
  mkdirSync('node_modules/.cache', { recursive: true });
  const programs = mkdtempSync(join(process.cwd(), 'node_modules/.cache/specs-'));
  await build({
    entryPoints: PROGRAMS,
    outdir: programs,
    outbase: '.',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  });
  const temporary = temporaryFolder();
  Object.assign(process.env, { SPEC_PROGRAMS: programs, TMPDIR: temporary });
  process.once('exit', () => {
    for (const folder of [programs, temporary]) rmSync(folder, { recursive: true, force: true });
  });
}
