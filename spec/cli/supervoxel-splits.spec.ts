/** The command line on a graph whose supervoxels split. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildWorld, serveWorld, type ServedWorld, type WorldSplit } from '../../mocks/index.ts';
import { runCli } from './run-cli.ts';

const SPLIT = '2024-06-02T00:00:00Z',
  BEFORE = '2024-06-01',
  AFTER = '2024-06-03';
const world = buildWorld({
  labels: (_x, y) => (y < 16 ? 1n : 2n),
  size: [64, 32, 16],
  chunkSize: [32, 32, 16],
  supervoxelSplits: true,
});
const folder = mkdtempSync(join(tmpdir(), 'cli-splits-')),
  file = (name: string): string => join(folder, name);
const POINTS = ['5,2,5', '5,12,5', '5,20,5', '60,2,5'];
let served: ServedWorld, made: WorldSplit, table: string;

async function run(...argv: string[]) {
  const done = await runCli([argv[0], served.cloudPath, ...argv.slice(1)]);
  return done;
}
const rowsOf = (csv: string): string[][] =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','));

beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), `x,y,z\n${POINTS.join('\n')}\n`);
  const saved = await run(
    'lookup',
    '--points',
    file('points.csv'),
    '--timestamp',
    BEFORE,
    '--out',
    file('saved.csv'),
  );
  expect([saved.code, saved.stderr]).toEqual([0, expect.any(String)]);
  table = readFileSync(file('saved.csv'), 'utf8').replace('x,y,z', 'pt_x,pt_y,pt_z');
  writeFileSync(file('saved.csv'), table);
  made = world.splitSupervoxel([5, 2, 5], (_x, y) => (y < 8 ? 0 : 1), { at: SPLIT });
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

describe('a table that was saved before a supervoxel was split', () => {
  test.each([
    ['--position', 'pt'],
    ['--columns', 'pt_x,pt_y,pt_z'],
  ])('is updated with the new supervoxels where positions are given: %s %s', async (...position) => {
    const { code, stdout, stderr } = await run(
      'update',
      '--in',
      file('saved.csv'),
      ...position,
      '--timestamp',
      AFTER,
    );
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const rows = rowsOf(stdout),
      old = rowsOf(table);
    expect(rows.map(([, , , id]) => id)).toEqual([...made.supervoxelIds.map(String), old[2][3], old[3][3]]);
    expect(new Set([rows[0][4], rows[1][4]])).toEqual(new Set(made.newRootIds.map(String)));
    expect(rows[2]).toEqual(old[2]);
    expect(rows.map((row) => row[5])).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('is stale_supervoxel without them, with a hint and exit code 1', async () => {
    const { code, stdout, stderr } = await run('update', '--in', file('saved.csv'), '--timestamp', AFTER);
    expect(code).toBe(1);
    expect(stderr).toMatch(/supervoxels were split.*--position/);
    expect(rowsOf(stdout).map((row) => row.slice(4))).toEqual([
      ['', 'stale_supervoxel'],
      ['', 'stale_supervoxel'],
      rowsOf(table)[2].slice(4),
      [expect.stringMatching(/^\d+$/), 'ok'],
    ]);
  });

  test('is looked up as before at the timestamp of before', async () => {
    const { stdout } = await run('update', '--in', file('saved.csv'), '--timestamp', BEFORE);
    expect(stdout).toBe(table);
  });
});

test('lookup --voxels-at reads an earlier version', async () => {
  const points = ['--points', file('points.csv'), '--supervoxels-only'];
  for (const version of ['1', 'v1', '2024-06-01T12:00:00Z']) {
    const { code, stdout } = await run('lookup', ...points, '--voxels-at', version);
    expect([code, rowsOf(stdout).map(([, , , id]) => id)]).toEqual([
      0,
      rowsOf(table).map(([, , , id]) => id),
    ]);
  }
  const latest = await run('lookup', ...points);
  expect(
    rowsOf(latest.stdout)
      .slice(0, 2)
      .map(([, , , id]) => id),
  ).toEqual(made.supervoxelIds.map(String));
});

test('refuses flags that make no sense', async () => {
  const absent = await run('update', '--in', file('saved.csv'), '--columns', 'pt_x,pt_y,depth');
  expect([absent.code, absent.stderr]).toEqual([
    2,
    expect.stringContaining('no column "depth"; columns found: pt_x, pt_y, pt_z,'),
  ]);
  const update = await run('update', '--in', file('saved.csv'), '--resolution', '8,8,40');
  expect([update.code, update.stderr]).toEqual([
    2,
    expect.stringContaining('--resolution is for --position'),
  ]);
  const bad = await run('lookup', '--points', file('points.csv'), '--voxels-at', 'yesterday');
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/voxels/)]);
  const other = await runCli(['lookup', folder, '--points', file('points.csv'), '--voxels-at', '1']);
  expect(other.stderr).toContain('--voxels-at is for graphene:// and cave:// paths');
});

test('info and doctor say that supervoxels can split', async () => {
  const info = await run('info');
  expect(info.stdout).toMatch(
    /supervoxels: can split\nvoxels: generation 2 of 2024-06-02T00:00:00Z, mip 0 of /,
  );
  expect((await run('doctor')).stdout).toMatch(/ok +supervoxels +can split.*OCDBT/);
  expect((await run('doctor', '--ocdbt', 'ignore')).stdout).toMatch(/warn +supervoxels +can split.*unsplit/);
});
