/** Commands on tables of IDs, end to end, compared with the recorded graph. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServedMocks } from '../../mocks/index.ts';
import { epochs } from '../../testing/pcg-graph.ts';
import { firstChange } from './first-change.ts';
import {
  bucket,
  count,
  clearMocks,
  graph,
  isoOf,
  LAST,
  rootAt,
  servePcg,
  successors,
  sv,
} from './pcg-cli.ts';
import { runCli, type CliResult } from './run-cli.ts';

let served: ServedMocks & { path: string };
let folder: string;
beforeAll(async () => void (served = await servePcg()));
afterAll(() => served.close());
beforeEach(async () => {
  clearMocks();
  folder = await mkdtemp(join(tmpdir(), 'ids-'));
});
afterEach(async () => {
  expect(bucket.log.requests).toEqual([]); // no voxel and no info of the watershed is read
  await rm(folder, { recursive: true });
});

const run = (
  command: string,
  flags: readonly string[],
  stdin?: string,
  signal?: AbortSignal,
): Promise<CliResult> => runCli([command, served.path, ...flags], { stdin, signal });
const ns = Array.from({ length: count }, (_, n) => n);
const changed = ns.filter((n) => rootAt(n, 0) !== rootAt(n, LAST));
/** A supervoxel whose object spans several chunks and whose layer-2 node was replaced, too. */
const rebuilt = changed.find(
  (n) => BigInt(epochs[0].l3[n]) >> 56n === 3n && epochs[0].l2[n] !== epochs[LAST].l2[n],
)!;
const lines = (...rows: string[]): string => rows.map((row) => `${row}\n`).join('');
/** IDs that are not in the graph. */
const UNKNOWN_SV = String(BigInt(sv(0)) + 60_000n);
const UNKNOWN = String((BigInt(rootAt(0, 0)) & ~0xffffn) | 0xfff0n);

describe('graphene-points roots', () => {
  test.each([0, LAST])(
    'gives the recorded roots of every supervoxel in epoch %d, from a list to a file',
    async (epoch) => {
      const input = join(folder, 'ids.txt'),
        output = join(folder, 'roots.csv'),
        stats = join(folder, 'stats.json');
      await writeFile(input, lines(...ns.map(sv)));
      const { code, stdout, stderr } = await run('roots', [
        '--ids',
        input,
        '--out',
        output,
        '--timestamp',
        isoOf(epoch),
        '--stats',
        stats,
      ]);
      expect([code, stdout, stderr]).toEqual([
        0,
        '',
        `${count} rows: ${count} ok; roots as of ${isoOf(epoch)}; 1 root request\n`,
      ]);
      expect(await readFile(output, 'utf8')).toBe(
        lines('supervoxel_id,root_id,status', ...ns.map((n) => `${sv(n)},${rootAt(n, epoch)},ok`)),
      );
      expect(JSON.parse(await readFile(stats, 'utf8'))).toMatchObject({
        timestamp: isoOf(epoch),
        rows: count,
        statuses: { ok: count },
        rootRequests: 1,
        distinctSupervoxels: count,
      });
      expect(await readdir(folder)).toEqual(['ids.txt', 'roots.csv', 'stats.json']);
    },
  );

  test.each([
    [
      'a list',
      [],
      `${sv(0)}\n${sv(1)}\n`,
      lines('supervoxel_id,root_id,status', `${sv(0)},${rootAt(0, 0)},ok`, `${sv(1)},${rootAt(1, 0)},ok`),
    ],
    [
      'CSV',
      [],
      lines('n,pt_supervoxel_id', `"a,",${sv(2)}`),
      lines('n,pt_supervoxel_id,pt_root_id,pt_status', `"a,",${sv(2)},${rootAt(2, 0)},ok`),
    ],
    [
      'CSV with CR LF and a byte order mark',
      [],
      `\ufeffsv\r\n${sv(2)}\r\n`,
      `\ufeffsv,root_id,status\r\n${sv(2)},${rootAt(2, 0)},ok\r\n`,
    ],
    [
      'JSON Lines',
      [],
      `{"supervoxel_id":${sv(3)}}\n`,
      `{"supervoxel_id":${sv(3)},"root_id":"${rootAt(3, 0)}","status":"ok"}\n`,
    ],
    [
      'TSV, as --format says',
      ['--format', 'tsv', '--column', 'b'],
      lines('a\tb', `1\t${sv(4)}`),
      lines('a\tb\troot_id\tstatus', `1\t${sv(4)}\t${rootAt(4, 0)}\tok`),
    ],
    [
      'outputs that exist',
      ['--replace'],
      lines('root_id,supervoxel_id,status', `1,${sv(4)},old`),
      lines('root_id,supervoxel_id,status', `${rootAt(4, 0)},${sv(4)},ok`),
    ],
    ['nothing at all', [], '', 'supervoxel_id,root_id,status\n'],
  ])('reads %s from standard input', async (_, flags, stdin, expected) => {
    expect(await run('roots', ['--ids', '-', '--timestamp', isoOf(0), '--quiet', ...flags], stdin)).toEqual({
      code: 0,
      stdout: expected,
      stderr: '',
    });
  });

  test('stops at a layer, and validates roots', async () => {
    const level2 = await run(
      'roots',
      ['--ids', '-', '--stop-layer', '2', '--timestamp', isoOf(0), '--quiet'],
      `${sv(0)}\n`,
    );
    expect(level2).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`^supervoxel_id,l2_id,status\n${sv(0)},\\d+,ok\n$`),
      ) as unknown as string,
    });
    const old = rootAt(changed[0], 0);
    const roots = lines(old, rootAt(changed[0], LAST));
    const at = ['--ids', '-', '--timestamp', isoOf(LAST), '--quiet'];
    expect((await run('roots', at, roots)).stdout).toBe(
      lines(
        'supervoxel_id,root_id,status',
        `${old},${old},not_looked_up`,
        ...[rootAt(changed[0], LAST)].map((root) => `${root},${root},not_looked_up`),
      ),
    );
    expect(await run('roots', [...at, '--validate'], roots)).toMatchObject({
      code: 1,
      stdout: lines(
        'supervoxel_id,root_id,status',
        `${old},,no_root`,
        ...[rootAt(changed[0], LAST)].map((root) => `${root},${root},ok`),
      ),
    });
  });

  test('looks up at the newest settled timestamp', async () => {
    const { code, stderr } = await run(
      'roots',
      ['--ids', '-', '--timestamp', 'settled', '--stats', '-'],
      `${sv(0)}\n`,
    );
    expect(code).toBe(0);
    const [query] = graph.log
      .matching('roots_binary')
      .map((request) => Number(new URLSearchParams(request.query).get('timestamp')));
    const { timestamp } = JSON.parse(stderr.slice(0, stderr.lastIndexOf('}') + 1)) as { timestamp: string };
    expect(Date.parse(timestamp)).toBe(Math.round(query * 1000));
    expect(query * 1000).toBeLessThanOrEqual(Date.now() - 180_000);
  });

  test('exits with 1 when an ID is invalid or has no root, and says which', async () => {
    const { code, stdout, stderr } = await run(
      'roots',
      ['--ids', '-', '--timestamp', isoOf(0)],
      lines('supervoxel_id', sv(0), '7.2e16', '0', '""', UNKNOWN_SV),
    );
    expect([code, stdout]).toEqual([
      1,
      lines(
        'supervoxel_id,root_id,status',
        `${sv(0)},${rootAt(0, 0)},ok`,
        '7.2e16,,invalid_id',
        '0,0,background',
        '"",,not_looked_up',
        `${UNKNOWN_SV},,no_root`,
      ),
    ]);
    expect(stderr).toBe(
      `warning: row 2 (line 3): column supervoxel_id: "7.2e16" is not a uint64 ID; invalid_id\n5 rows: 1 ok, 1 background, 1 no_root, 1 not_looked_up, 1 invalid_id; roots as of ${isoOf(0)}; 1 root request\n`,
    );
  });

  test('exits with 1 when the server fails, and writes every row', async () => {
    graph.faults.push({ match: /roots_binary/, status: 500, body: '{"message":"it \\u001b[31mbroke"}' });
    const { code, stdout, stderr } = await run('roots', ['--ids', '-'], lines(sv(0), sv(1)));
    expect([code, stdout]).toEqual([
      1,
      lines('supervoxel_id,root_id,status', `${sv(0)},,root_failed`, `${sv(1)},,root_failed`),
    ]);
    expect(stderr).toMatch(/^warning: row 1: root_failed: .*roots_binary.*500/m);
    expect(stderr).not.toContain('\x1b');
  });
});

describe('graphene-points update', () => {
  const table = (epoch: number): string =>
    lines(
      'id,pt_supervoxel_id,pt_root_id,pt_status',
      ...ns.map((n) => `"r ${n}",${sv(n)},${rootAt(n, epoch)},ok`),
    );

  test.each([
    [0, LAST],
    [LAST, 0],
    [0, 0],
  ])(
    'updates epoch %d to %d in place, with one request for the state of the roots and one for the changed ones',
    async (from, to) => {
      const file = join(folder, 'table.csv');
      await writeFile(file, table(from));
      const { code, stderr } = await run('update', ['--in', file, '--out', file, '--timestamp', isoOf(to)]);
      const expected = from === to ? [] : changed;
      expect([code, stderr]).toEqual([
        0,
        `${count} rows: ${count} ok; ${expected.length} changed; roots as of ${isoOf(to)}; ${expected.length > 0 ? 1 : 0} root request${expected.length > 0 ? '' : 's'}\n`,
      ]);
      expect(await readFile(file, 'utf8')).toBe(table(to));
      expect(graph.log.count('is_latest_roots')).toBe(1 + 1); // the other request finds out the kind of server
      expect(graph.log.matching('roots_binary').map(({ ids }) => ids)).toEqual(
        expected.length > 0 ? [expected.length] : [],
      );
    },
  );

  test('reads what lookup writes: rows without answers, and prefixes', async () => {
    const n = changed[0];
    const before = [
      `1,${sv(n)},${rootAt(n, 0)},ok`,
      '2,0,0,background',
      '3,,,out_of_bounds',
      `4,${sv(n)},,root_failed`,
      `5,${sv(n)},,no_root`,
    ];
    const after = [
      `1,${sv(n)},${rootAt(n, LAST)},ok`,
      '2,0,0,background',
      '3,,,out_of_bounds',
      `4,${sv(n)},${rootAt(n, LAST)},ok`,
      `5,${sv(n)},${rootAt(n, LAST)},ok`,
    ];
    const header = 'pt_position,pt_supervoxel_id,pt_root_id,pt_status';
    expect(
      await run('update', ['--in', '-', '--timestamp', isoOf(LAST), '--quiet'], lines(header, ...before)),
    ).toEqual({ code: 0, stdout: lines(header, ...after), stderr: '' });
    expect(graph.log.matching('roots_binary').map(({ ids }) => ids)).toEqual([1]);
  });

  test('looks up the supervoxel where the root is an ID of a lower layer', async () => {
    const [n] = changed,
      header = 'supervoxel_id,root_id,status';
    const before = [sv(n), epochs[0].l2[n], epochs[LAST].l2[n], epochs[LAST].l3[n]].map(
      (root) => `${sv(n)},${root},ok`,
    );
    expect(
      await run('update', ['--in', '-', '--timestamp', isoOf(LAST), '--quiet'], lines(header, ...before)),
    ).toEqual({
      code: 0,
      stdout: lines(header, ...before.map(() => `${sv(n)},${rootAt(n, LAST)},ok`)),
      stderr: '',
    });
    expect([
      graph.log.count('is_latest_roots'),
      graph.log.matching('roots_binary').map(({ ids }) => ids),
    ]).toEqual([0, [1]]);
  });

  test('gives no root to a replaced node in the supervoxel column', async () => {
    const n = rebuilt,
      [old, node] = [epochs[0].l2[n], epochs[LAST].l2[n]];
    const { code, stdout } = await run(
      'update',
      ['--in', '-', '--timestamp', isoOf(LAST), '--quiet'],
      lines('supervoxel_id,root_id,status', `${old},${rootAt(n, 0)},ok`, `${node},${rootAt(n, 0)},ok`),
    );
    expect([code, stdout]).toEqual([
      1,
      lines('supervoxel_id,root_id,status', `${old},,no_root`, `${node},${rootAt(n, LAST)},ok`),
    ]);
  });

  test('keeps every other byte of JSON Lines', async () => {
    const n = changed[0];
    const rows = (epoch: number): string =>
      `{ "pt_root_id" : "${rootAt(n, epoch)}",\t"big": 12345678901234567890, "pt_supervoxel_id": ${sv(n)}, "pt_status":"ok" }\n`;
    expect((await run('update', ['--in', '-', '--timestamp', isoOf(LAST), '--quiet'], rows(0))).stdout).toBe(
      rows(LAST),
    );
  });

  test('looks up all rows when the check of the roots fails', async () => {
    graph.faults.push({ match: /is_latest_roots/, status: 500 });
    const { code, stdout } = await run(
      'update',
      ['--in', '-', '--timestamp', isoOf(LAST), '--quiet'],
      table(0),
    );
    expect([code, stdout]).toEqual([0, table(LAST)]);
  });

  test('exits with 1 when roots cannot be looked up, and keeps the old ones', async () => {
    graph.faults.push({ match: /roots_binary/, status: 403 });
    const { code, stdout, stderr } = await run(
      'update',
      ['--in', '-', '--timestamp', isoOf(LAST)],
      lines('supervoxel_id,root_id', `${sv(changed[0])},${rootAt(changed[0], 0)}`),
    );
    expect([code, stdout]).toEqual([
      1,
      lines('supervoxel_id,root_id,status', `${sv(changed[0])},${rootAt(changed[0], 0)},root_failed`),
    ]);
    expect(stderr).toMatch(/^warning: row 1: root_failed: .*roots_binary/m);
  });
});

describe('graphene-points latest', () => {
  const became = successors();
  const roots = [...new Set(ns.map((n) => rootAt(n, 0)))];
  const rowOf = (root: string): string => {
    const now = became.get(root);
    return now ? `${root},${now.root},${Number(now.share.toFixed(6))},true,ok` : `${root},${root},1,false,ok`;
  };

  test('gives the roots that hold most supervoxels of the old ones', async () => {
    const { code, stdout, stderr } = await run(
      'latest',
      ['--ids', '-', '--by', 'supervoxels', '--timestamp', isoOf(LAST)],
      lines(...roots, roots[0]),
    );
    expect(stdout).toBe(
      lines('root_id,latest_root_id,confidence,changed,status', ...[...roots, roots[0]].map(rowOf)),
    );
    const moved = [...roots, roots[0]].filter((root) => became.has(root)).length;
    expect([code, stderr]).toEqual([
      0,
      `${roots.length + 1} rows: ${roots.length + 1} ok; ${moved} changed; roots as of ${isoOf(LAST)}\n`,
    ]);
    expect(became.size).toBeGreaterThan(1);
  });

  test('requests no parts of a root that is still current', async () => {
    const currentRoots = roots.filter((root) => !became.has(root));
    const { code, stdout } = await run(
      'latest',
      ['--ids', '-', '--timestamp', isoOf(LAST), '--quiet'],
      lines(...currentRoots),
    );
    expect([code, stdout]).toEqual([
      0,
      lines('root_id,latest_root_id,confidence,changed,status', ...currentRoots.map(rowOf)),
    ]);
    expect([
      graph.log.count('is_latest_roots'),
      graph.log.count('leaves'),
      graph.log.count('roots_binary'),
    ]).toEqual([1 + 1, 0, 0]);
  });

  test.each(['level2', 'supervoxels'])('gives an ID below the roots its root, by %s', async (by) => {
    const n = rebuilt,
      ids = [sv(n), epochs[0].l2[n], epochs[0].l3[n], epochs[LAST].l2[n], sv(count - 1)];
    const { code, stdout } = await run(
      'latest',
      ['--ids', '-', '--by', by, '--timestamp', isoOf(LAST), '--quiet'],
      lines(...ids),
    );
    // The roots that hold the members of the node.
    const best = (id: string, k: number): [string, number] => {
      const members = ns.filter((m) => epochs[k].l2[m] === id || epochs[k].l3[m] === id || sv(m) === id),
        held = members.map((m) => rootAt(m, LAST));
      const share = (root: string): number => held.filter((id) => id === root).length / held.length;
      const [root] = [...new Set(held)].sort(
        (a, b) => share(b) - share(a) || (BigInt(a) < BigInt(b) ? -1 : 1),
      );
      return [root, Number(share(root).toFixed(6))];
    };
    const expected = ids.map((id, k) => [id, ...best(id, k === 3 ? LAST : 0), 'true', 'ok'].join());
    expect([code, stdout]).toEqual([
      0,
      lines('root_id,latest_root_id,confidence,changed,status', ...expected),
    ]);
    expect(graph.log.count('is_latest_roots')).toBe(0); // no ID is a root, so none is checked
  });

  test('names columns after the input column, in every format', async () => {
    const [root, { root: now }] = [...became].find(([, { share }]) => share === 1)!;
    const flags = ['--ids', '-', '--timestamp', isoOf(LAST), '--quiet'];
    expect((await run('latest', flags, lines('x,pt_root_id', `1,${root}`))).stdout).toBe(
      lines(
        'x,pt_root_id,pt_latest_root_id,pt_confidence,pt_changed,pt_status',
        `1,${root},${now},1,true,ok`,
      ),
    );
    expect((await run('latest', flags, `{"root_id":${root}}\n`)).stdout).toBe(
      `{"root_id":${root},"latest_root_id":"${now}","confidence":1,"changed":true,"status":"ok"}\n`,
    );
    const again = await run(
      'latest',
      [...flags, '--replace'],
      lines('pt_root_id,pt_latest_root_id,pt_confidence,pt_changed,pt_status', `${root},1,2,3,4`),
    );
    expect(again.stdout).toBe(
      lines('pt_root_id,pt_latest_root_id,pt_confidence,pt_changed,pt_status', `${root},${now},1,true,ok`),
    );
  });

  test('reports IDs that are not roots of this graph, and exits with 1', async () => {
    const { code, stdout } = await run(
      'latest',
      ['--ids', '-', '--timestamp', isoOf(LAST), '--quiet'],
      lines('root_id', UNKNOWN, '0', '""', 'x'),
    );
    expect([code, stdout]).toEqual([
      1,
      lines(
        'root_id,latest_root_id,confidence,changed,status',
        `${UNKNOWN},,,,no_root`,
        '0,0,,,background',
        '"",,,,not_looked_up',
        'x,,,,invalid_id',
      ),
    ]);
  });

  test('a failure affects only its own rows', async () => {
    const [bad] = became.keys();
    // Every request for its parts fails, alone or with others.
    graph.faults.push({
      match: (request) =>
        /leaves|root_timestamps/.test(request.path) &&
        `${request.path}${Buffer.from(request.body).toString()}`.includes(bad),
      status: 500,
    });
    const { code, stdout, stderr } = await run(
      'latest',
      ['--ids', '-', '--by', 'supervoxels', '--timestamp', isoOf(LAST)],
      lines(...roots),
    );
    expect([code, stdout]).toEqual([
      1,
      lines(
        'root_id,latest_root_id,confidence,changed,status',
        ...roots.map((root) => (root === bad ? `${root},,,,root_failed` : rowOf(root))),
      ),
    ]);
    expect(stderr).toMatch(new RegExp(`^warning: row ${roots.indexOf(bad) + 1}: root_failed: .*500`, 'm'));
  });
});

describe('commands on tables of IDs', () => {
  test.each([
    ['roots', '--ids'],
    ['latest', '--ids'],
    ['update', '--in'],
  ])('%s says that a materialization belongs to a datastack', async (command, input) => {
    const { code, stderr } = await run(
      command,
      [input, '-', '--timestamp', 'mat_943'],
      lines('supervoxel_id,root_id', `${sv(0)},${rootAt(0, 0)}`),
    );
    expect([code, stderr]).toEqual([
      2,
      "error: 'mat_943' names a materialization, which only a datastack has: open the volume as cave://DATASTACK\n",
    ]);
    const small = await run(command, [input, '-', '--timestamp', '943'], '');
    expect([small.code, small.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^error: "943" is too small for unix seconds: write materialization 943 of a datastack as mat_943/,
      ),
    ]);
  });

  test('reads what lookup writes: one prefix, or both sides of a synapse', async () => {
    const root = rootAt(0, 0),
      flags = ['--ids', '-', '--timestamp', isoOf(0), '--quiet'];
    const one = lines('pt_position,pt_supervoxel_id,pt_root_id,pt_status', `1 2 3,${sv(0)},${root},ok`);
    expect((await run('latest', flags, one)).stdout).toBe(
      lines(
        'pt_position,pt_supervoxel_id,pt_root_id,pt_status,pt_latest_root_id,pt_confidence,pt_changed,pt_latest_status',
        `1 2 3,${sv(0)},${root},ok,${root},1,false,ok`,
      ),
    );
    const both = lines(
      'pre_pt_root_id,pre_pt_status,post_pt_root_id,post_pt_status',
      `${root},ok,,missing_chunk`,
    );
    expect((await run('latest', flags, both)).stderr).toBe(
      'error: 2 columns could be the root_id: name one or more with --column; columns found: pre_pt_root_id, pre_pt_status, post_pt_root_id, post_pt_status\n',
    );
    const { code, stdout } = await run(
      'latest',
      [...flags, '--column', 'pre_pt_root_id', '--column', 'post_pt_root_id'],
      both,
    );
    expect([code, stdout]).toEqual([
      0,
      lines(
        'pre_pt_root_id,pre_pt_status,post_pt_root_id,post_pt_status,pre_pt_latest_root_id,pre_pt_confidence,pre_pt_changed,pre_pt_latest_status,post_pt_latest_root_id,post_pt_confidence,post_pt_changed,post_pt_latest_status',
        `${root},ok,,missing_chunk,${root},1,false,ok,,,,not_looked_up`,
      ),
    ]);
    expect(graph.log.count('is_latest_roots')).toBe(2 * (1 + 1)); // two runs
  });

  test('answers every row of a list, whatever its first line, and quotes the column name', async () => {
    const root = rootAt(0, 0),
      flags = ['--ids', '-', '--timestamp', isoOf(0), '--quiet'];
    for (const first of ['""', 'nan', '<NA>'])
      expect((await run('roots', flags, lines(first, sv(0)))).stdout).toBe(
        lines('supervoxel_id,root_id,status', `${first},,not_looked_up`, `${sv(0)},${root},ok`),
      );
    expect((await run('roots', [...flags, '--format', 'csv'], lines(sv(0)))).stdout).toBe(
      lines('supervoxel_id,root_id,status', `${sv(0)},${root},ok`),
    );
    expect((await run('roots', [...flags, '--format', 'tsv'], lines(sv(0)))).stdout).toBe(
      lines('supervoxel_id\troot_id\tstatus', `${sv(0)}\t${root}\tok`),
    );
    expect((await run('roots', [...flags, '--column', 'a,b'], lines(sv(0)))).stdout).toBe(
      lines('"a,b",root_id,status', `${sv(0)},${root},ok`),
    );
    expect((await run('roots', [...flags, '--format', 'csv'], lines('0', sv(0)))).stdout).toBe(
      lines('0,root_id,status', `${sv(0)},${root},ok`),
    );
    const file = join(folder, 'series.csv');
    await writeFile(file, lines('0', sv(0)));
    expect((await run('roots', ['--ids', file, '--timestamp', isoOf(0), '--quiet'])).stdout).toBe(
      lines('0,root_id,status', `${sv(0)},${root},ok`),
    );
  });

  test('exits with 1 when update leaves a suspect row', async () => {
    const table = lines('supervoxel_id,root_id,status', `${sv(0)},${rootAt(0, 0)},suspect`);
    expect(await run('update', ['--in', '-', '--timestamp', isoOf(0), '--quiet'], table)).toEqual({
      code: 1,
      stdout: table,
      stderr: '',
    });
  });

  test('--missing sets the text for a missing answer', async () => {
    const table = lines('supervoxel_id', sv(0), UNKNOWN_SV, 'NA'),
      flags = ['--ids', '-', '--timestamp', isoOf(0), '--quiet'];
    const answer = (none: string): string =>
      lines(
        'supervoxel_id,root_id,status',
        `${sv(0)},${rootAt(0, 0)},ok`,
        `${UNKNOWN_SV},${none},no_root`,
        `NA,${none},not_looked_up`,
      );
    for (const [missing, none] of [
      ['empty', ''],
      ['NA', 'NA'],
      ['0', '0'],
    ]) {
      const { stdout, stderr } = await run('roots', [...flags, '--missing', missing], table);
      expect([stdout, stderr]).toEqual([
        answer(none),
        missing === '0'
          ? 'warning: --missing 0: a row without an answer looks like background; only its status shows the difference\n'
          : '',
      ]);
    }
    const latest = await run('latest', [...flags, '--missing', '0'], lines('root_id', 'NA'));
    expect(latest.stdout).toBe(
      lines('root_id,latest_root_id,confidence,changed,status', 'NA,0,,,not_looked_up'),
    );
    expect(await run('roots', [...flags, '--missing', '0'], `{"supervoxel_id":"${sv(0)}"}\n`)).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: --missing is for csv and tsv: in JSON Lines a missing answer is null\n',
    });
  });

  test.each([
    [
      'roots',
      ['--ids', 'none.txt'],
      /^error: none\.txt cannot be read: no such file or directory \(ENOENT\)\n$/,
    ],
    ['roots', ['--ids', '-', '--column', 'sv'], /^error: no column "sv"; columns found: a, root_id\n$/],
    ['roots', ['--ids', '-'], /^error: no column "supervoxel_id"; columns found: a, root_id\n$/],
    [
      'roots',
      ['--ids', '-', '--column', 'a'],
      /^error: column root_id already exists \(replace \(--replace\) overwrites it\)\n$/,
    ],
    [
      'roots',
      ['--ids', '-', '--column', 'a', '--replace', '--strict'],
      /^error: row 2 \(line 3\): column a: "x" is not a uint64 ID\n$/,
    ],
    [
      'roots',
      ['--ids', '-', '--column', 'a', '--replace', '--stop-layer', '99'],
      /^error: stopLayer must be a whole number from 2 to 4/m,
    ],
    ['roots', ['--ids', '-', '--timestamp', 'soon'], /^error: "soon" is not a timestamp/],
    [
      'roots',
      ['--ids', '-', '--stats', 'none/s.json'],
      /^error: --stats none\/s\.json\.partial cannot be written/,
    ],
    ['roots', [], /^error: required option '--ids <file>' not specified\n$/],
    ['update', ['--in', '-', '--column', 'z'], /^error: no column "z"; columns found: a, root_id\n$/],
    ['latest', ['--ids', '-', '--by', 'chance'], /Allowed choices are level2, supervoxels\.\n$/],
    ['latest', ['--ids', '-', '--column', 'b'], /^error: no column "b"/],
  ] as const)('%s %j is refused with 2, and leaves no file', async (command, flags, message) => {
    const { code, stdout, stderr } = await run(
      command,
      [...flags, '--out', join(folder, 'out.csv')],
      'a,root_id\n1,2\nx,2\n',
    );
    expect(stderr).toMatch(message);
    expect([code, stdout, await readdir(folder)]).toEqual([2, '', []]);
  });

  test('update says which column is missing', async () => {
    expect((await run('update', ['--in', '-'], `${sv(0)}\n`)).stderr).toBe(
      'error: no column "root_id" with earlier roots to update: `roots` looks them up; columns found: supervoxel_id\n',
    );
    expect(
      (await run('update', ['--in', '-'], lines('x,y,z,supervoxel_id,l2_id,status', `1,2,3,${sv(0)},5,ok`)))
        .stderr,
    ).toBe(
      'error: no column "root_id", only l2_id: update is for roots; `roots --stop-layer 2 --replace` looks up l2_id again\n',
    );
  });

  test('refuses a volume without a graph', async () => {
    expect(await runCli(['roots', 'gs://bucket/volume', '--ids', '-'], { stdin: '' })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^error: gs:\/\/bucket\/volume is not a chunkedgraph/,
      ) as unknown as string,
    });
  });

  test.each(['roots', 'latest', 'update'])(
    'an interrupt of %s keeps FILE.partial and exits with 130',
    async (command) => {
      const controller = new AbortController(),
        output = join(folder, 'out.csv');
      graph.faults.push({ match: /roots_binary|is_latest_roots/, stall: true });
      const created = firstChange(folder);
      const table =
        command === 'roots' ? lines(sv(0)) : lines('supervoxel_id,root_id', `${sv(0)},${rootAt(0, 0)}`);
      const running = run(
        command,
        [command === 'update' ? '--in' : '--ids', '-', '--out', output],
        table,
        controller.signal,
      );
      await created;
      controller.abort(new Error('interrupted'));
      expect(await running).toEqual({
        code: 130,
        stdout: '',
        stderr: `interrupted; the rows so far are in ${output}.partial\n`,
      });
      expect(await readdir(folder)).toEqual(['out.csv.partial']);
    },
  );
});
