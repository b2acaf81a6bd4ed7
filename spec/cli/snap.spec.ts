import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { BEFORE, rootOf, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';
import { runCli, type CliResult } from './run-cli.ts';

const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks;
beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(() => void (bucket.faults.length = 0));

const lookup = (flags: readonly string[], stdin: string): Promise<CliResult> =>
  runCli(
    ['lookup', `graphene://${served.url}/segmentation/table/world`, '--points', '-', '--quiet', ...flags],
    { stdin, env: {} },
  );

/** Voxels of x = 16, 24, 32, … are background. */
const [sv, root] = [supervoxel([0, 0, 0], 1), rootOf(0, 1)];
const own = `${supervoxel([1, 0, 0], 1)},${rootOf(0, 1)}`;

describe('graphene-points lookup --snap-nm', () => {
  test('writes the distance to the label before the status, and nothing if there is no label', async () => {
    const { code, stdout } = await lookup(
      ['--snap-nm', '8', '--timestamp', BEFORE],
      'x,y,z\n24,8,4\n25,8,4\n0,0,0\n',
    );
    expect(stdout).toBe(
      `x,y,z,supervoxel_id,root_id,snapped_nm,status\n24,8,4,${sv},${root},8,ok\n25,8,4,${own},0,ok\n0,0,0,,,,out_of_bounds\n`,
    );
    expect(code).toBe(0);
  });

  test('leaves a point on background if the radius is too small, and adds no column without the flag', async () => {
    expect((await lookup(['--snap-nm', '7.5', '--supervoxels-only'], 'x,y,z\n24,8,4\n')).stdout).toBe(
      'x,y,z,supervoxel_id,snapped_nm,status\n24,8,4,0,,background\n',
    );
    expect((await lookup(['--supervoxels-only'], 'x,y,z\n24,8,4\n')).stdout).toBe(
      'x,y,z,supervoxel_id,status\n24,8,4,0,background\n',
    );
  });

  test('names its column after the position, and answers each row at its own timestamp', async () => {
    const table = `pt_position\tt\n[24, 8, 4]\t${BEFORE}\n[25, 8, 4]\t\n`;
    const { stdout } = await lookup(
      [
        '--snap-nm',
        '8',
        '--format',
        'tsv',
        '--position',
        'pt_position',
        '--timestamp-column',
        't',
        '--timestamp',
        BEFORE,
      ],
      table,
    );
    expect(stdout).toBe(
      `pt_position\tt\tpt_supervoxel_id\tpt_root_id\tpt_snapped_nm\tpt_status\n[24, 8, 4]\t${BEFORE}\t${sv}\t${root}\t8\tok\n[25, 8, 4]\t\t${own.replace(',', '\t')}\t0\tok\n`,
    );
  });

  test('writes JSON Lines, and refuses a column that exists', async () => {
    const line = (cells: string): string => `{"x":24,"y":8,"z":4${cells}}\n`;
    const { stdout } = await lookup(['--snap-nm', '8', '--format', 'jsonl', '--supervoxels-only'], line(''));
    expect(stdout).toBe(line(`,"supervoxel_id":"${sv}","snapped_nm":8,"status":"ok"`));
    const { code, stderr } = await lookup(
      ['--snap-nm', '8', '--format', 'csv'],
      'x,y,z,snapped_nm\n24,8,4,1\n',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('snapped_nm already exists')]);
  });

  test('writes distances in volumes without a graph to a thousandth of a nanometre', async () => {
    const {
      folder,
      info,
      scales: [{ points, values }],
    } = loadFixture('seg_raw_u64_none');
    const [nx, ny] = info.scales[0].resolution;
    const table = `x,y,z\n${points.map((point) => `${point.join(',')}\n`).join('')}`;
    const { stdout } = await runCli(['lookup', folder, '--points', '-', '--snap-nm', '30', '--quiet'], {
      stdin: table,
    });
    const [header, ...rows] = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(','));
    expect(header).toEqual(['x', 'y', 'z', 'value', 'snapped_nm', 'status']);
    const distances = new Set([
      '0',
      '',
      ...[
        [1, 0],
        [1, 1],
        [2, 0],
        [2, 1],
        [2, 2],
        [3, 0],
        [3, 1],
        [3, 2],
      ].map(([x, y]) => String(Number(Math.hypot(x * nx, y * ny).toFixed(3)))),
    ]);
    rows.forEach(([, , , value, nm, status], k) => {
      expect(distances).toContain(nm);
      if (values[k] !== '0')
        expect([value, nm, status]).toEqual(
          values[k] === null ? ['', '', 'out_of_bounds'] : [values[k], '0', 'ok'],
        );
      else
        expect([value === '0', nm === '', status === 'background']).toEqual(
          nm === '' ? [true, true, true] : [false, false, false],
        );
    });
    expect(rows.filter(([, , , , nm]) => Number(nm) > 0).length).toBeGreaterThan(5);
  });

  test.each(['0', '-1', 'far', '', 'Infinity'])('refuses a radius of %j', async (radius) => {
    const { code, stderr } = await lookup(['--snap-nm', radius], 'x,y,z\n24,8,4\n');
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected a positive number')]);
  });

  test('refuses a radius that is too large, and any radius in an image', async () => {
    expect(await lookup(['--snap-nm', '1e6'], 'x,y,z\n24,8,4\n')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: a snap radius of 1000000 nm spans') as unknown,
    });
    const image = await runCli(
      ['lookup', loadFixture('img_raw_u8').folder, '--points', '-', '--snap-nm', '9'],
      { stdin: 'x,y,z\n10,20,30\n' },
    );
    expect(image).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: snap needs a segmentation') as unknown,
    });
  });
});
