/**
 * Prepares one run of all specs. Jest calls it once, before the workers start.
 * - It bundles the programs that specs start as processes, because a compilation at each start takes a
 *   second.
 * - It puts temporary files in memory if there is room, because specs of caches and snapshots are slow on a
 *   disk.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildCharts } from '../build-charts.mjs';
import { buildWorker } from '../build-worker.mjs';

const PROGRAMS = [
  'lib/cli/main.ts',
  'spec/cache/hammer.ts',
  'spec/graphene/loaded-packages-run.ts',
  'spec/graphene/outage-run.ts',
  'spec/graphene/shortage-run.ts',
  'spec/http/proxy-run.ts',
];
const MEMORY = '/dev/shm',
  ROOM_BYTES = 2 ** 30;

/** Makes the folder for temporary files: in memory on Linux if a GiB is free there, else on disk. */
function temporaryFolder() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return mkdtempSync(join(bavail * bsize >= ROOM_BYTES ? MEMORY : tmpdir(), 'graphene-points-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'graphene-points-'));
  }
}

/** Makes the programs use two worker threads; see jest.workers.config.js. */
const twoPatientWorkers = {
  name: 'two-patient-workers',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/default-workers\.ts$/ }, () => ({
      path: join(process.cwd(), 'testing/two-patient-workers.ts'),
    })),
};

export default async function setUp() {
  // The folder is inside the project, so that the programs find their packages.
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
    plugins: process.env.SPEC_WORKERS ? [twoPatientWorkers] : [],
  });
  await buildWorker(join(programs, 'lib/workers/worker.cjs'));
  await buildCharts(join(programs, 'echarts-svg.mjs'));
  const temporary = temporaryFolder();
  Object.assign(process.env, { SPEC_PROGRAMS: programs, TMPDIR: temporary });
  process.once('exit', () => {
    for (const folder of [programs, temporary]) rmSync(folder, { recursive: true, force: true });
  });
}
