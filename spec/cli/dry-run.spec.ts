/** `--dry-run` of `lookup` and `job`: counts and requests are compared with those of the points and of the mocks. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildPrecomputed } from '../../mocks/index.ts';
import { buildWorld, serveWorld, type ServedWorld } from '../../mocks/world.ts';
import type { LookupEstimate } from '../../lib/jobs/estimate-types.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { buildJobWorld, type Cell, ROWS, SIZE, TABLE } from './job-world.ts';
import { runCli, type CliResult } from './run-cli.ts';

const world = buildJobWorld(),
  { bucket, graph } = world,
  folder = mkdtempSync(join(tmpdir(), 'dry-run-')),
  file = (name: string): string => join(folder, name);
const CHUNK = 16,
  RESOLUTION = world.volume.info.scales[0].resolution;
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), TABLE);
  // Voxels are twice as large as those of the graph. Chunks: 2 × 2 × 1.
  const { files } = buildPrecomputed({
    labels: (x: number) => x,
    dataType: 'uint8',
    type: 'image',
    size: [32, 24, 16],
    chunkSize: [16, 16, 16],
    resolution: [2 * RESOLUTION[0], 2 * RESOLUTION[1], RESOLUTION[2]],
  });
  for (const [key, stored] of Object.entries(files)) {
    mkdirSync(dirname(file(`em/${key}`)), { recursive: true });
    writeFileSync(file(`em/${key}`), stored instanceof Uint8Array ? stored : stored.bytes);
  }
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  bucket.faults.length = graph.faults.length = 0;
  bucket.log.requests.length = graph.log.requests.length = 0;
});

const POSITIONS = ['--position', 'pre_position', '--position', 'post_position'];
const dryRun = (argv: readonly string[], stdin?: string): Promise<CliResult> =>
  runCli([...argv, '--dry-run'], { stdin });
const estimateOf = async (argv: readonly string[], stdin?: string): Promise<LookupEstimate> => {
  const { code, stdout, stderr } = await dryRun([...argv, '--json', '--quiet'], stdin);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as LookupEstimate;
};

/** The points of the table by where they are, counted from the cells. */
const CELLS = ROWS.flat();
const isInside = (cell: Cell): cell is [number, number, number] =>
  typeof cell === 'object' && cell.every((at, axis) => at >= 0 && at < SIZE[axis]);
const INSIDE = CELLS.filter(isInside),
  COUNTS = {
    invalid_point: CELLS.filter((cell) => typeof cell === 'string').length,
    out_of_bounds: CELLS.filter((cell) => typeof cell === 'object' && !isInside(cell)).length,
    not_looked_up: CELLS.filter((cell) => cell === undefined).length,
  },
  chunksOf = (size: number): number =>
    new Set(
      INSIDE.map(([x, y, z]) =>
        [x, y, z].map((at, axis) => Math.floor(at / (axis < 2 ? size : CHUNK))).join(),
      ),
    ).size;
const chunkRequests = (): string[] =>
  bucket.log.requests.map(({ path }) => path).filter((path) => /\d+-\d+_\d+-\d+_\d+-\d+$/.test(path));

describe('--dry-run', () => {
  test.each(['lookup', 'job run', 'job plan'])(
    '%s counts points and chunks, samples chunks, asks for no root and writes nothing',
    async (command) => {
      const before = readdirSync(folder, { recursive: true }).toSorted();
      const argv =
        command === 'lookup'
          ? ['lookup', served.cloudPath, '--points', file('points.csv')]
          : [...command.split(' '), file('points.csv'), '--volume', served.cloudPath, '--job', file('a.job')];
      const { stderr, code, stdout } = await dryRun([
        ...argv,
        ...['--out', file('out.csv'), ...POSITIONS, '--json', '--quiet'],
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('invalid_point') });
      const { rows, points, volumes, total, estimates } = JSON.parse(stdout) as LookupEstimate;
      const chunks = chunksOf(CHUNK);
      expect({ rows, points }).toEqual({ rows: ROWS.length, points: 2 * ROWS.length });
      expect(volumes).toHaveLength(1);
      expect(volumes[0]).toMatchObject({
        name: null,
        inside: INSIDE.length,
        statuses: COUNTS,
        chunks,
        chunksAreEstimated: false,
        requests: chunks,
        roots: { distinctSupervoxelsAtMost: INSIDE.length, requestsAtMost: 1 },
      });
      // There are fewer chunks than are sampled, so that each is read once.
      expect(chunks).toBeLessThanOrEqual(16);
      expect(chunkRequests()).toHaveLength(chunks);
      expect(new Set(chunkRequests()).size).toBe(chunks);
      const bytes = bucket.log.requests
        .filter(({ path }) => chunkRequests().includes(path))
        .reduce((sum, { responseBytes }) => sum + responseBytes, 0);
      expect(volumes[0].sample).toMatchObject({
        stored: chunks,
        missing: 0,
        failed: 0,
        requests: chunks,
        bytes,
      });
      expect(total).toMatchObject({ chunks, requests: chunks, bytes, rootRequestsAtMost: 1 });
      expect(total.seconds).toBeGreaterThan(0);
      expect(estimates).toEqual(['bytes', 'seconds', 'requests']);
      expect(graph.log.requests.filter(({ path }) => /roots/.test(path))).toEqual([]);
      expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual(before);
    },
  );

  test('reads at most 16 chunks of a volume with more', async () => {
    const small = buildWorld({ labels: (x) => BigInt(1 + (x >> 3)), size: SIZE, chunkSize: [8, 8, 8] }),
      own = await serveWorld(small);
    try {
      const points = INSIDE.map((cell) => `${cell.join()}\n`).join('');
      const { volumes, total } = await estimateOf(
        ['lookup', own.cloudPath, '--points', '-'],
        `x,y,z\n${points}`,
      );
      const chunks = new Set(INSIDE.map((cell) => cell.map((at) => Math.floor(at / 8)).join())).size;
      expect(chunks).toBeGreaterThan(16);
      expect(volumes[0]).toMatchObject({ chunks, requests: chunks, sample: { stored: 16, requests: 16 } });
      const { bytes, meanBytes } = volumes[0].sample;
      expect(meanBytes).toBe(bytes / 16);
      expect(total.bytes).toBe(Math.round((chunks * bytes) / 16));
      expect(small.bucket.log.requests.filter(({ path }) => /\d+-\d+_\d+-\d+_/.test(path))).toHaveLength(16);
    } finally {
      await own.close();
    }
  });

  test('estimates each volume of --also at its own chunks', async () => {
    const points = INSIDE.map((cell) => `${cell.join()}\n`).join('');
    const { volumes, total } = await estimateOf(
      ['lookup', served.cloudPath, '--points', '-', '--also', `em=${file('em')}`],
      `x,y,z\n${points}`,
    );
    expect(volumes.map(({ name, chunks, roots }) => ({ name, chunks, hasRoots: roots !== null }))).toEqual([
      { name: null, chunks: chunksOf(CHUNK), hasRoots: true },
      { name: 'em', chunks: chunksOf(2 * CHUNK), hasRoots: false },
    ]);
    expect(total.chunks).toBe(chunksOf(CHUNK) + chunksOf(2 * CHUNK));
  });

  test('counts the indices of shards, and says that the requests are an upper bound', async () => {
    const fixture = loadFixture('shard_cseg_u64_identity'),
      [{ points }] = fixture.scales,
      [{ size }] = fixture.info.scales;
    const inside = points.filter((point) => point.every((at, axis) => at >= 0 && at < size[axis]));
    const table = `x,y,z\n${inside.map((point) => `${point.join()}\n`).join('')}`;
    const chunks = new Set(
      inside.map(([x, y, z]) => [Math.floor(x / 32), Math.floor(y / 32), Math.floor(z / 16)].join()),
    ).size;
    const { volumes, upperBounds } = await estimateOf(['lookup', fixture.folder, '--points', '-'], table);
    expect(volumes[0]).toMatchObject({ inside: inside.length, chunks, roots: null });
    expect(upperBounds).toEqual(['requests']);
    const out = file('sharded.csv'),
      stats = file('sharded.json');
    await runCli(['lookup', fixture.folder, '--points', '-', '--out', out, '--stats', stats, '--quiet'], {
      stdin: table,
    });
    const done = (await import(stats, { with: { type: 'json' } })) as { default: { requests: number } };
    expect(volumes[0].requests).toBeGreaterThanOrEqual(done.default.requests);
    // 8 minishards at most, with two requests each.
    expect(volumes[0].requests).toBeLessThanOrEqual(chunks + 16);
  });

  test('counts missing chunks as empty, and says which failed; then it exits with 1', async () => {
    bucket.faults.push({ match: /16-32_16-32_0-16/, status: 404 }, { match: /48-64_0-16_0-16/, status: 500 });
    const { code, stdout } = await dryRun([
      ...['lookup', served.cloudPath, '--points', file('points.csv'), ...POSITIONS],
      ...['--retries', '0', '--quiet'],
    ]);
    expect(code).toBe(1);
    const chunks = chunksOf(CHUNK);
    expect(stdout).toContain(`sample: ${chunks - 2} stored, 1 not stored, 1 failed; `);
    expect(stdout).toMatch(/failed: .*48-64_0-16_0-16/);
    expect(stdout).toContain(`chunks: ${chunks}\n`);
    bucket.faults.splice(0, Infinity, { match: /_0-16$/, status: 500 });
    const none = await dryRun([
      ...['lookup', served.cloudPath, '--points', file('points.csv'), ...POSITIONS],
      ...['--retries', '0', '--quiet'],
    ]);
    expect(none.code).toBe(1);
    expect(none.stdout).toContain('egress: unknown, as no chunk could be read');
    expect(none.stdout).toContain('time: unknown');
  });

  test.each([
    ['a table without rows', 'x,y,z\n', 0, {}],
    ['a table without a valid point', 'x,y,z\n,,\n1,2,\nNaN,1,1\n9999,1,1\n', 4, { out_of_bounds: 1 }],
  ])('estimates %s, and reads no chunk', async (_, stdin, rows, statuses) => {
    const { stdout, code } = await dryRun(
      ['lookup', served.cloudPath, '--points', '-', '--json', '--quiet'],
      stdin,
    );
    expect(code).toBe(0);
    const estimate = JSON.parse(stdout) as LookupEstimate;
    expect(estimate).toMatchObject({
      rows,
      points: rows,
      volumes: [{ inside: 0, statuses, chunks: 0, requests: 0, bytes: 0, roots: { requestsAtMost: 0 } }],
      total: { chunks: 0, requests: 0, bytes: 0, rootRequestsAtMost: 0 },
    });
    const counted = Object.values(estimate.volumes[0].statuses).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(rows);
    expect(chunkRequests()).toEqual([]);
  });

  test('does not know the number of root requests of rows with their own timestamps', async () => {
    const { volumes } = await estimateOf(
      ['lookup', served.cloudPath, '--points', '-', '--timestamp-column', 't'],
      'x,y,z,t\n1,1,1,2024-02-01\n2,2,2,2024-03-01\n',
    );
    expect(volumes[0].roots).toEqual({ distinctSupervoxelsAtMost: 2, requestsAtMost: null });
  });

  test('is what --json is for, and excludes --stats', async () => {
    const argv = ['lookup', served.cloudPath, '--points', file('points.csv')];
    expect(await runCli([...argv, '--json'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--json is for --dry-run'),
    });
    expect(await dryRun([...argv, '--stats', '-'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--dry-run.*--stats|--stats.*--dry-run/),
    });
  });

  test('reports what would stop the look-up: a column that exists', async () => {
    const result = await dryRun(['lookup', served.cloudPath, '--points', '-'], 'x,y,z,root_id\n1,1,1,\n');
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('--replace') });
  });
});
