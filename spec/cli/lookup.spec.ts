import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LookupStats } from '../../lib/points/result.ts';
import { createMockBucket } from '../../mocks/bucket.ts';
import { createMockChunkedGraph } from '../../mocks/chunkedgraph.ts';
import { serveMocks, type ServedMocks } from '../../mocks/loopback.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { firstChange } from './first-change.ts';
import { runCli, type CliResult } from './run-cli.ts';

const fixture = loadFixture('graphene_cseg_u64');
const [scale] = fixture.scales;
const plainVolume = loadFixture('img_raw_u8_2ch');
const MERGE = '2024-06-05T10:10:01.203Z';

/** The expected points. Two of their supervoxels are merged at MERGE. */
const expectedRows = scale.points.map((point, k) => ({
  point,
  supervoxel: scale.values[k] as string | null,
  root: scale.roots![k],
}));
const ok = expectedRows.filter(({ supervoxel }) => supervoxel !== null && supervoxel !== '0');
const first = ok[0];
const second = ok.find(({ root }) => root !== first.root)!;

const graph = createMockChunkedGraph({
  ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
  dataDir: '{HOST}/bucket',
  edits: [
    {
      timestamp: MERGE,
      merge: [first.supervoxel!, second.supervoxel!],
      new_root_ids: [BigInt(first.root!) + 5n],
    },
  ],
});
const bucket = createMockBucket({ folder: fixture.folder });

let served: ServedMocks;
let path: string;
let folder: string;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  path = `graphene://${served.url}/segmentation/table/mock`;
});
afterAll(() => served.close());
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(async () => {
  graph.faults.length = bucket.faults.length = 0;
  await rm(folder, { recursive: true });
});

const csvOf = (points: readonly (readonly number[])[]): string =>
  `x,y,z\n${points.map((point) => `${point.join(',')}\n`).join('')}`;
const lookup = (flags: readonly string[], stdin?: string, signal?: AbortSignal): Promise<CliResult> =>
  runCli(['lookup', path, ...flags], { stdin, signal });

describe('graphene-points lookup', () => {
  test('gives every expected supervoxel and root, from file to file', async () => {
    const input = join(folder, 'in.csv'),
      output = join(folder, 'out.csv'),
      statsFile = join(folder, 'stats.json');
    await writeFile(input, csvOf(scale.points));
    const { code, stdout, stderr } = await lookup([
      '--points',
      input,
      '--out',
      output,
      '--timestamp',
      '2024-01-01',
      '--stats',
      statsFile,
    ]);
    expect(stderr).toMatch(
      /^(warning: .*\n)*\d+ rows: .* ok, .*; roots as of 2024-01-01T00:00:00\.000Z; \d+ storage requests, .* bytes, 1 root request\n$/,
    );
    expect([code, stdout]).toEqual([0, '']);
    const cells = expectedRows.map(({ supervoxel, root }) =>
      supervoxel === null
        ? ',,out_of_bounds'
        : supervoxel === '0'
          ? '0,0,background'
          : `${supervoxel},${root},ok`,
    );
    expect(await readFile(output, 'utf8')).toBe(
      `x,y,z,supervoxel_id,root_id,status\n${scale.points.map((point, k) => `${point.join(',')},${cells[k]}\n`).join('')}`,
    );
    expect(JSON.parse(await readFile(statsFile, 'utf8'))).toMatchObject({
      timestamp: '2024-01-01T00:00:00.000Z',
      rows: scale.points.length,
      points: scale.points.length,
      statuses: { ok: ok.length },
      rootRequests: 1,
    });
    expect(await readdir(folder)).toEqual(['in.csv', 'out.csv', 'stats.json']);
  });

  test('answers at the timestamp of each row, and reads the voxels once', async () => {
    const points = [first.point, second.point];
    const table = `t\tx\ty\tz\n${['2024-06-05T10:10:01.202Z', '2024-06-05T10:10:01.203Z', ''].flatMap((t) => points.map((point) => `${t}\t${point.join('\t')}\n`)).join('')}`;
    const { code, stdout, stderr } = await lookup(
      ['--points', '-', '--format', 'tsv', '--timestamp-column', 't', '--stats', '-'],
      table,
    );
    const merged = String(BigInt(first.root!) + 5n);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => row.split('\t')[5]),
    ).toEqual([first.root, second.root, merged, merged, merged, merged]);
    expect(code).toBe(0);
    const [, json, line] = /^({.*^})\n(.*)\n$/ms.exec(stderr)!;
    const stats = JSON.parse(json) as LookupStats & {
      timestamp: null;
      timestamps: { first: string; last: string; count: number };
    };
    expect(stats).toMatchObject({
      timestamp: null,
      timestamps: { first: '2024-06-05T10:10:01.202Z', count: 3 },
      rows: 6,
      requests: stats.chunks,
      rootRequests: 3,
      distinctSupervoxels: 2,
    });
    expect(line).toContain(
      `6 rows: 6 ok; roots as of 2024-06-05T10:10:01.202Z to ${stats.timestamps.last} (3 timestamps); `,
    );
  });

  test('reports one storage request, and no root requests if no roots were looked up', async () => {
    const plain = await runCli(['lookup', plainVolume.folder, '--points', '-'], {
      stdin: csvOf([plainVolume.scales[0].points[0]]),
    });
    expect(plain.stderr).toMatch(/^1 row: 1 ok; 1 storage request, [\d,]+ bytes\n$/);
    const supervoxels = await lookup(['--points', '-', '--supervoxels-only'], csvOf([first.point]));
    expect(supervoxels.stderr).toMatch(/^1 row: 1 ok; 1 storage request, [\d,]+ bytes\n$/);
  });

  test('exits with 0 up to --max-failures, and stops with 2 above it', async () => {
    const points = [first.point, second.point, [NaN, 1, 1], first.point],
      out = join(folder, 'out.csv');
    const stdin = csvOf(points).replace('NaN', 'far');
    for (const [bound, code] of [
      ['1', 0],
      ['25%', 0],
      ['0', 2],
      ['24.9%', 2],
    ] as const) {
      const { stderr, ...ran } = await lookup(
        ['--points', '-', '--out', out, '--max-failures', bound],
        stdin,
      );
      expect([bound, ran.code]).toEqual([bound, code]);
      if (code === 2)
        expect(stderr).toMatch(
          /error: 1( of 4)? points need attention so far \(1 invalid_point\), more than the (0|24.9%) that maxFailures \(--max-failures\) allows\n$/,
        );
      expect(await readdir(folder)).toEqual(code === 0 ? ['out.csv'] : []);
      await rm(out, { force: true });
    }
    expect((await lookup(['--points', '-', '--out', out], stdin)).code).toBe(1);
  });

  test('shows a progress bar only if no rows are shown, and clears it before the summary', async () => {
    const argv = ['lookup', plainVolume.folder, '--points', '-'],
      stdin = csvOf([plainVolume.scales[0].points[0]]);
    const summary = '1 row: 1 ok; ';
    for (const [flags, terminal] of [
      [[], 'stderr'],
      [['--out', join(folder, 'out.csv')], 'both'],
    ] as const) {
      const { stderr } = await runCli([...argv, ...flags], { stdin, terminal });
      expect(stderr.slice(0, stderr.indexOf(summary))).toMatch(/: 100 %, .*1 chunk, .*\x1b\[2K$/s);
    }
    expect((await runCli(argv, { stdin, terminal: 'both' })).stderr).toMatch(new RegExp(`^${summary}`));
  });

  test.each([
    { flags: ['--supervoxels-only'], header: 'x,y,z,supervoxel_id,status', cells: `${first.supervoxel},ok` },
    {
      flags: [
        '--lru-bytes',
        '10MB',
        '--lru-encoding',
        'compressed_segmentation',
        '--concurrency',
        '2',
        '--timestamp',
        '1704067200',
        '--mip',
        '0',
      ],
      header: 'x,y,z,supervoxel_id,root_id,status',
      cells: `${first.supervoxel},${first.root},ok`,
    },
  ])('accepts $flags', async ({ flags, header, cells }) => {
    const { code, stdout } = await lookup(['--points', '-', ...flags], csvOf([first.point]));
    expect([code, stdout]).toEqual([0, `${header}\n${first.point.join(',')},${cells}\n`]);
  });

  test('accepts another resolution, column names and layer', async () => {
    const nm = first.point.map((voxel, axis) => voxel * fixture.info.scales[0].resolution[axis]);
    const { code, stdout } = await lookup(
      ['--points', '-', '--resolution', '1,1,1', '--columns', 'a,b,c', '--stop-layer', '2', '--quiet'],
      `c,b,a\n${[...nm].reverse().join(',')}\n`,
    );
    const [header, row] = stdout.split('\n');
    expect([code, header]).toEqual([0, 'c,b,a,supervoxel_id,l2_id,status']);
    expect(row).toMatch(new RegExp(`,${first.supervoxel},\\d+,ok$`));
    expect(BigInt(row.split(',')[4]) >> 56n).toBe(2n);
  });

  test('reads JSON Lines with positions, and overwrites the input', async () => {
    const file = join(folder, 'table.jsonl');
    await writeFile(file, `{"big": 12345678901234567890, "pt_position": [${first.point.join(', ')}]}\n`);
    for (const flags of [[], ['--replace']]) {
      const { code, stderr } = await lookup([
        '--points',
        file,
        '--out',
        file,
        '--position',
        'pt_position',
        '--timestamp',
        '2024-01-01',
        '--quiet',
        ...flags,
      ]);
      expect([code, stderr]).toEqual([0, '']);
      expect(await readFile(file, 'utf8')).toBe(
        `{"big": 12345678901234567890, "pt_position": [${first.point.join(', ')}],"pt_supervoxel_id":"${first.supervoxel}","pt_root_id":"${first.root}","pt_status":"ok"}\n`,
      );
    }
  });

  test('reads the watershed from --data-dir', async () => {
    bucket.faults.push({ match: /./, status: 403 });
    const { code, stdout } = await lookup(
      ['--points', '-', '--data-dir', fixture.folder, '--timestamp', '2024-01-01'],
      csvOf([first.point]),
    );
    expect([code, stdout.split('\n')[1]]).toEqual([
      0,
      `${first.point.join(',')},${first.supervoxel},${first.root},ok`,
    ]);
  });

  test('shows the values of a volume without a graph', async () => {
    const [expected] = plainVolume.scales;
    const { code, stdout } = await runCli(['lookup', plainVolume.folder, '--points', '-'], {
      stdin: csvOf(expected.points),
    });
    const cells = expected.values.map((value) =>
      value === null ? ',,out_of_bounds' : `${(value as string[]).join(',')},ok`,
    );
    expect(stdout).toBe(
      `x,y,z,value_0,value_1,status\n${expected.points.map((point, k) => `${point.join(',')},${cells[k]}\n`).join('')}`,
    );
    expect(code).toBe(0);
  });

  test('exits with 1 when a row needs attention, and writes all rows', async () => {
    const { code, stdout, stderr } = await lookup(
      ['--points', '-'],
      `x,y,z\n${first.point.join(',')}\n1,two,3\n`,
    );
    expect([code, stdout.split('\n')[2]]).toEqual([1, '1,two,3,,,invalid_point']);
    expect(stderr).toContain('warning: row 2 (line 3): column y: "two" is not a number; invalid_point\n');
    expect(stderr).toMatch(/2 rows: 1 ok, 1 invalid_point;/);
  });

  test('writes every row when a chunk cannot be read, says why, and exits with 1', async () => {
    bucket.faults.push({ match: /^\/8_8_40\//, status: 403, body: 'keep out \x1b[31m' });
    const { code, stdout, stderr } = await lookup(
      ['--points', '-', '--stats', '-'],
      csvOf([first.point, [0, 0, 0]]),
    );
    expect([code, stdout]).toEqual([
      1,
      `x,y,z,supervoxel_id,root_id,status\n${first.point.join(',')},,,failed\n0,0,0,,,out_of_bounds\n`,
    ]);
    expect(stderr).toMatch(/^warning: row 1: failed: .*8_8_40.*403/m);
    expect(stderr).toMatch(/"statuses": \{\n {4}"out_of_bounds": 1,\n {4}"failed": 1\n {2}\}/);
    expect(stderr).not.toContain('\x1b');
  });

  test.each([
    {
      name: 'a missing file',
      flags: ['--points', 'none.csv'],
      message: /^error: none\.csv cannot be read: no such file or directory \(ENOENT\)\n$/,
    },
    {
      name: 'an unknown suffix',
      flags: ['--points', 'table.data'],
      message:
        /^error: the suffix of table\.data does not tell its format: add --format csv, tsv, jsonl, parquet, arrow, npy or npz\n$/,
    },
    {
      name: 'a missing column',
      flags: ['--points', '-', '--columns', 'a,y,z'],
      message: /^error: no column "a"; columns found: x, y, z\n$/,
    },
    {
      name: 'an invalid point when strict',
      flags: ['--points', '-', '--strict'],
      message: /^error: row 2 \(line 3\): column x is empty\n$/,
    },
    {
      name: 'a file for counts that cannot be written',
      flags: ['--points', '-', '--stats', 'none/s.json'],
      message:
        /^error: --stats none\/s\.json\.partial cannot be written: no such file or directory \(ENOENT\)\n$/,
    },
    {
      name: 'a table that is empty',
      flags: ['--points', '/dev/null', '--format', 'csv'],
      message: /^error: the table is empty: it has no header\n$/,
    },
    {
      name: 'an impossible timestamp',
      flags: ['--points', '-', '--timestamp', 'soon'],
      message: /^error: "soon" is not a timestamp/,
    },
    {
      name: 'an impossible layer',
      flags: ['--points', '-', '--stop-layer', '99'],
      message: /^error: stopLayer must be/m,
    },
    {
      name: 'a timestamp without roots',
      flags: ['--points', '-', '--supervoxels-only', '--timestamp', 'now'],
      message: /^error: option '--supervoxels-only' cannot be used with option '--timestamp <time>'\n$/,
    },
    {
      name: 'columns and a position',
      flags: ['--points', '-', '--columns', 'a,b,c', '--position', 'p'],
      message: /^error: option '--columns <a,b,c>' cannot be used with/,
    },
    { name: 'no points', flags: [], message: /^error: required option '--points <file>' not specified\n$/ },
    {
      name: 'an unknown option',
      flags: ['--points', '-', '--nope'],
      message: /^error: unknown option '--nope'\n/,
    },
    {
      name: 'a bad size',
      flags: ['--points', '-', '--lru-bytes', 'big'],
      message: /expected bytes, such as 200MB or 1GiB\.\n$/,
    },
    {
      name: 'an encoding that the cache cannot use',
      flags: ['--points', '-', '--lru-encoding', 'raw'],
      message: /Allowed choices are same, compressed_segmentation, decoded\.\n$/,
    },
  ])('refuses $name with 2 and leaves no file', async ({ flags, message }) => {
    const output = join(folder, 'out.csv');
    const { code, stdout, stderr } = await lookup([...flags, '--out', output], 'x,y,z\n1,2,3\n,2,3\n');
    expect(stderr).toMatch(message);
    expect([code, stdout, await readdir(folder)]).toEqual([2, '', []]);
  });

  test('opens the file for counts before the volume, and leaves no file after an error', async () => {
    const missing = join(folder, 'volume');
    const refused = await runCli(
      ['lookup', missing, '--points', '-', '--stats', join(folder, 'none', 's.json')],
      { stdin: '' },
    );
    expect([refused.code, refused.stderr]).toEqual([
      2,
      `error: --stats ${join(folder, 'none', 's.json.partial')} cannot be written: no such file or directory (ENOENT)\n`,
    ]);
    expect(
      (await runCli(['lookup', missing, '--points', '-', '--stats', join(folder, 's.json')], { stdin: '' }))
        .stderr,
    ).toMatch(/^error: no info at /);
    expect(await readdir(folder)).toEqual([]);
  });

  test('accepts JSON Lines without a row, and says so', async () => {
    const { code, stdout, stderr } = await lookup(['--points', '-', '--format', 'jsonl'], '');
    expect([code, stdout, stderr]).toEqual([
      0,
      '',
      'warning: the table is empty\n0 rows; 0 storage requests, 0 bytes\n',
    ]);
  });

  test('refuses options that need a graph for a volume without a graph', async () => {
    const { code, stderr } = await runCli(
      ['lookup', plainVolume.folder, '--points', '-', '--timestamp-column', 't'],
      { stdin: '' },
    );
    expect([code, stderr]).toEqual([2, 'error: --timestamp-column is for graphene:// and cave:// paths\n']);
  });

  test('says that there is no volume', async () => {
    const { code, stderr } = await runCli(['lookup', folder, '--points', '-'], { stdin: '' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: no info at .*\n$/);
  });

  test('an interrupt keeps the rows so far in FILE.partial and exits with 130', async () => {
    const controller = new AbortController();
    const output = join(folder, 'out.csv');
    const created = firstChange(folder);
    // standard input never ends
    const running = lookup(['--points', '-', '--out', output], undefined, controller.signal);
    await created;
    controller.abort(new Error('interrupted'));
    expect(await running).toEqual({
      code: 130,
      stdout: '',
      stderr: `interrupted; the rows so far are in ${output}.partial\n`,
    });
    expect(await readdir(folder)).toEqual(['out.csv.partial']);
  });

  test('an interrupt without a file prints one word', async () => {
    expect(await lookup(['--points', '-'], 'x,y,z\n', AbortSignal.abort(new Error('enough')))).toEqual({
      code: 130,
      stdout: '',
      stderr: 'interrupted\n',
    });
  });
});
