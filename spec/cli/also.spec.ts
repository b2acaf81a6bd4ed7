import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  buildPrecomputed,
  createMockBucket,
  createMockChunkedGraph,
  serveMocks,
  type ServedMocks,
} from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { runCli, type CliResult } from './run-cli.ts';

const fixture = loadFixture('graphene_cseg_u64');
const [scale] = fixture.scales;
const { resolution } = fixture.info.scales[0];
const known = scale.points
  .map((point, k) => ({ point, supervoxel: scale.values[k] as string | null, root: scale.roots![k] }))
  .filter(({ supervoxel }) => supervoxel !== null && supervoxel !== '0')
  .slice(0, 2);
const graph = createMockChunkedGraph({
  ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
  dataDir: '{HOST}/bucket',
});
const bucket = createMockBucket({ folder: fixture.folder });

let served: ServedMocks, path: string, folder: string, images: string;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  path = `graphene://${served.url}/segmentation/table/mock`;
  images = await mkdtemp(join(tmpdir(), 'gp-also-'));
  // The images have voxels of twice the size of the graph's along x: x + 10 y, and 1000 + that.
  const write = (name: string, channels: number): void => {
    const { files } = buildPrecomputed({
      labels: (x: number, y: number, _z: number, c: number) => x + 10 * y + 1000 * c,
      dataType: 'uint16',
      type: 'image',
      channels,
      size: [200, 400, 100],
      chunkSize: [64, 64, 64],
      resolution: [2 * resolution[0], resolution[1], resolution[2]],
    });
    for (const [key, file] of Object.entries(files)) {
      mkdirSync(dirname(join(images, name, key)), { recursive: true });
      writeFileSync(join(images, name, key), file instanceof Uint8Array ? file : file.bytes);
    }
  };
  write('em', 1);
  write('aff', 2);
  await rm(join(images, 'aff', `${2 * resolution[0]}_${resolution[1]}_${resolution[2]}`, '0-64_0-64_0-64'));
});
afterAll(async () => {
  await served.close();
  await rm(images, { recursive: true });
});
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(async () => rm(folder, { recursive: true }));

const lookup = (flags: readonly string[], stdin: string): Promise<CliResult> =>
  runCli(['lookup', path, '--points', '-', '--quiet', ...flags], { stdin });
/** The value of the voxel of the image at a voxel of the graph. */
const em = ([x, y]: readonly number[]): number => Math.floor(x / 2) + 10 * y;
const AT = ['--timestamp', '2024-01-01'];

describe('lookup --also', () => {
  test('adds the columns of each volume after those of the main one', async () => {
    const rows = known.map(({ point }) => point.join(','));
    const { code, stdout, stderr } = await lookup(
      [...AT, '--also', `em=${images}/em`, '--also', `aff=file://${images}/aff`, '--also', `again=${path}`],
      `x,y,z\n${rows.join('\n')}\n`,
    );
    expect(stderr).toBe('');
    const lines = known.map(({ point, supervoxel, root }) => {
      const ids = `${supervoxel},${root},ok`;
      return `${point.join(',')},${ids},${em(point)},ok,${em(point)},${1000 + em(point)},ok,${ids}`;
    });
    expect(stdout).toBe(
      [
        'x,y,z,supervoxel_id,root_id,status,em_value,em_status,aff_value_0,aff_value_1,aff_status,again_supervoxel_id,again_root_id,again_status',
        ...lines,
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  test('reads both positions of a row, in JSON Lines too, and keeps old answers with --replace', async () => {
    const [a, b] = known;
    const row = { pre_position: a.point, post_position: b.point, post_em_value: 7, post_em_status: 'old' };
    const { code, stdout } = await lookup(
      [
        ...['--format', 'jsonl', '--position', 'pre_position', '--position', 'post_position', '--replace'],
        ...['--supervoxels-only', '--also', `em=${images}/em`],
      ],
      `${JSON.stringify(row)}\n${JSON.stringify({ ...row, post_position: null })}\n`,
    );
    expect(code).toBe(0);
    const [first, second] = stdout.trim().split('\n').map((line) => JSON.parse(line) as object); // prettier-ignore
    expect(first).toEqual({
      ...row,
      pre_supervoxel_id: a.supervoxel,
      pre_status: 'ok',
      pre_em_value: em(a.point),
      pre_em_status: 'ok',
      post_supervoxel_id: b.supervoxel,
      post_status: 'ok',
      post_em_value: em(b.point),
      post_em_status: 'ok',
    });
    expect(second).toMatchObject({
      post_supervoxel_id: null,
      post_status: 'not_looked_up',
      post_em_value: 7,
      post_em_status: 'not_looked_up',
    });
  });

  test('counts each volume, and ends with 1 if any of them has a bad row', async () => {
    const input = join(folder, 'in.csv'),
      stats = join(folder, 'stats.json');
    await writeFile(input, `x,y,z\n${known[0].point.join(',')}\n2,2,2\nfar,2,2\n`);
    await rm(join(images, 'em', `${2 * resolution[0]}_${resolution[1]}_${resolution[2]}`, '0-64_0-64_0-64'));
    await writeFile(
      join(images, 'em', `${2 * resolution[0]}_${resolution[1]}_${resolution[2]}`, '0-64_0-64_0-64'),
      'broken',
    );
    const { code, stdout, stderr } = await runCli([
      ...['lookup', path, '--points', input, '--stats', stats, '--missing', 'NA', ...AT],
      ...['--also', `em=${images}/em`, '--also', `aff=${images}/aff`],
    ]);
    expect(code).toBe(1);
    expect(stdout.split('\n').slice(2, 4)).toEqual([
      '2,2,2,NA,NA,out_of_bounds,NA,failed,NA,NA,missing_chunk',
      'far,2,2,NA,NA,invalid_point,NA,invalid_point,NA,NA,invalid_point',
    ]);
    expect(stderr).toMatch(/^warning: em: row 2: failed: .*0-64_0-64_0-64/m);
    expect(stderr).toMatch(
      /^3 rows: 1 ok, .*; em: 1 ok, 1 invalid_point, 1 failed; aff: 1 ok, 1 missing_chunk, 1/m,
    );
    expect(JSON.parse(await readFile(stats, 'utf8'))).toMatchObject({
      rows: 3,
      statuses: { ok: 1, out_of_bounds: 1, invalid_point: 1 },
      also: {
        em: { statuses: { ok: 1, failed: 1, invalid_point: 1 }, points: 3, chunks: 2 },
        aff: { statuses: { ok: 1, missing_chunk: 1, invalid_point: 1 } },
      },
    });
  });

  test('says of which volume a warning is', async () => {
    const { stderr } = await lookup([...AT, '--also', `em=${images}/em`], 'x,y,z\n900000,2,2\n');
    const outside = '1 of 1 points are outside the volume';
    expect(stderr).toMatch(new RegExp(`^warning: ${outside}`, 'm'));
    expect(stderr).toMatch(new RegExp(`^warning: em: ${outside}`, 'm'));
  });

  test('takes graph options for a graph that is not the main volume', async () => {
    const [{ point, supervoxel, root }] = known;
    const { code, stdout } = await runCli(
      [
        'lookup',
        `${images}/em`,
        '--points',
        '-',
        '--quiet',
        '--resolution',
        resolution.join(','),
        ...AT,
      ].concat(['--also', `seg=${path}`]),
      { stdin: `x,y,z\n${point.join(',')}\n` },
    );
    expect(stdout.split('\n')[1]).toBe(`${point.join(',')},${em(point)},ok,${supervoxel},${root},ok`);
    expect(code).toBe(0);
  });

  test.each<[what: string, also: readonly string[], message: RegExp]>([
    ['no name', ['em'], /expected NAME=CLOUDPATH/],
    ['an empty name', ['=gs://b/c'], /the name of a volume is empty/],
    ['an empty path', ['em='], /expected NAME=CLOUDPATH/],
    ['a name that is no column', ['a b=gs://b/c'], /"a b" cannot be the name of a volume/],
    ['a name given twice', ['em=/a', 'em=/b'], /the name em is given twice/],
    ['a volume that is not there', ['em=/nowhere'], /--also em cannot be opened: .*nowhere/],
  ])('refuses %s before anything is read', async (_, also, message) => {
    const before = bucket.log.requests.length;
    const { code, stdout, stderr } = await lookup(
      also.flatMap((value) => ['--also', value]),
      'x,y,z\n1,1,1\n',
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    const chunks = bucket.log.requests.slice(before).filter(({ path: asked }) => !asked.endsWith('/info'));
    expect(chunks).toEqual([]);
  });

  test('refuses names that collide with a column of the table, or of another output', async () => {
    const points = 'x,y,z,em_value\n70,40,3,1\n';
    const taken = await lookup(['--also', `em=${images}/em`], points);
    expect([taken.code, taken.stdout]).toEqual([2, '']);
    expect(taken.stderr).toMatch(/column em_value already exists/);
    const twice = await runCli(
      [
        ...[
          'lookup',
          `${images}/em`,
          '--points',
          '-',
          '--position',
          'a_position',
          '--position',
          'a_b_position',
        ],
        ...['--also', `b=${images}/aff`],
      ],
      { stdin: 'a_position,a_b_position\n"[1,1,1]","[1,1,1]"\n' },
    );
    expect([twice.code, twice.stdout]).toEqual([2, '']);
    expect(twice.stderr).toMatch(/column a_b_status would be written twice/);
  });
});

const interpolate = (stdin: string, ...flags: string[]): Promise<CliResult> =>
  runCli(['lookup', `${images}/aff`, '--points', '-', '--interpolate', 'linear', '--quiet', ...flags], {
    stdin,
  });

describe('lookup --interpolate', () => {
  test('takes columns of whole numbers for voxels, and others for places', async () => {
    const whole = await interpolate('x,y,z\n100,70,3\n101,,\n');
    expect(whole.stdout.split('\n').slice(1, 3)).toEqual(['100,70,3,800,1800,ok', '101,,,,,invalid_point']);
    // z names a slice; x and y are places.
    const { stdout, code, stderr } = await interpolate('x,y,z\n100.75,70.5,3\n101.0,70.5,3\n');
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      '100.75,70.5,3,800.25,1800.25,ok',
      '101.0,70.5,3,800.5,1800.5,ok',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    const cells = await interpolate('p\n"[100, 70, 3]"\n', '--position', 'p');
    expect(cells.stdout.split('\n')[1]).toBe('"[100, 70, 3]",800,1800,ok');
    const lines = await interpolate('{"x":100.0,"y":70.5,"z":3}\n', '--format', 'jsonl');
    expect(JSON.parse(lines.stdout)).toMatchObject({ value_0: 799.5, value_1: 1799.5 });
  });

  test('warns if a column has both, and takes all of them for places', async () => {
    const { stdout, stderr } = await interpolate('x,y,z\n100,70,3\n100.5,70,3\n');
    expect(stdout.split('\n').slice(1, 3)).toEqual(['100,70,3,799.5,1799.5,ok', '100.5,70,3,800,1800,ok']);
    expect(stderr).toMatch(/^warning: column x has whole numbers and decimals: all are read as places/);
  });

  test('interpolates the images, and reads a segmentation at its voxels', async () => {
    const [{ point, supervoxel }] = known;
    const places = point.map((v) => v + 0.5);
    const { stdout, code } = await lookup(
      ['--supervoxels-only', '--also', `aff=${images}/aff`, '--interpolate', 'linear'],
      `x,y,z\n${places.join(',')}\n`,
    );
    const value = places[0] / 2 - 0.5 + 10 * point[1];
    expect(stdout.split('\n')[1]).toBe(`${places.join(',')},${supervoxel},ok,${value},${1000 + value},ok`);
    expect(code).toBe(0);
  });

  test('is refused if all volumes are segmentations', async () => {
    const { code, stdout, stderr } = await lookup(['--interpolate', 'linear'], 'x,y,z\n1,1,1\n');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/the values of a segmentation are IDs/);
  });
});
