/** `graphene-points graph`, end to end, compared with the recorded graph. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile, rm, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { GRAPH_COMMANDS } from '../../lib/cli/graph-commands.ts';
import { run as runArgv } from '../../lib/cli/run.ts';
import type { ServedMocks } from '../../mocks/index.ts';
import { pcgGraph } from '../../testing/pcg-graph.ts';
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
beforeAll(async () => void (served = await servePcg()));
afterAll(() => served.close());
beforeEach(clearMocks);
afterEach(() => expect(bucket.log.requests).toEqual([]));

const runCall = (call: string, args: readonly string[], stdin?: string): Promise<CliResult> =>
  runCli(['graph', call, served.path, ...args], { stdin });
async function answers(
  call: string,
  args: readonly string[],
  stdin?: string,
): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await runCall(call, args, stdin);
  expect([stderr, code]).toEqual(['', 0]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const ns = Array.from({ length: count }, (_, n) => n);
const leavesOf = (root: string, epoch: number): string[] =>
  ns
    .filter((n) => rootAt(n, epoch) === root)
    .map(sv)
    .sort();
const currentRoots = [...new Set(ns.map((n) => rootAt(n, LAST)))];
const [old, { root: successor }] = [...successors()].find(([, { share }]) => share === 1)!;
const UNKNOWN = String((BigInt(old) & ~0xffffn) | 0xfff0n);

describe('graphene-points graph', () => {
  test('leaves writes one line per root, in the order of the IDs, from arguments and from tables', async () => {
    const roots = [currentRoots[1], old, currentRoots[0]];
    const expected = [currentRoots[1], old, currentRoots[0]].map((id) => [
      id,
      leavesOf(id, id === old ? 0 : LAST),
    ]);
    const shown = (lines: Record<string, unknown>[]): unknown[] =>
      lines.map(({ id, leaves }) => [id, (leaves as string[]).sort()]);
    expect(shown(await answers('leaves', roots))).toEqual(expected);
    expect(shown(await answers('leaves', ['--ids', '-'], roots.map((id) => `${id}\n`).join('')))).toEqual(
      expected,
    );
    expect(
      shown(
        await answers(
          'leaves',
          ['--ids', '-'],
          `root_id,x\n${roots.map((id) => `${id},1\n`).join('')}${old},2\n0,3\n,4\n`,
        ),
      ),
    ).toEqual(expected);
    expect(
      shown(
        await answers(
          'leaves',
          ['--ids', '-', '--column', 'b'],
          roots.map((id) => `{"a":1,"b":"${id}"}\n`).join(''),
        ),
      ),
    ).toEqual(expected);
  });

  test('leaves stops at a layer, and accepts a box in nanometres', async () => {
    const [{ leaves: level2 }] = await answers('leaves', [currentRoots[0], '--stop-layer', '2']);
    expect((level2 as string[]).map((id) => BigInt(id) >> 56n)).toEqual((level2 as string[]).map(() => 2n));
    const [{ leaves: none }] = await answers('leaves', [
      currentRoots[0],
      '--bounds',
      '900000,0,0,900001,1,1',
      '--resolution',
      '1,1,1',
    ]);
    expect(none).toEqual([]);
    const query = new URLSearchParams(graph.log.requests.at(-1)!.query);
    await answers('leaves', [currentRoots[0], '--bounds', '0,0,0,256,256,1280', '--resolution', '8,8,40']);
    expect(new URLSearchParams(graph.log.requests.at(-1)!.query).get('bounds')).toBe('0-128_0-128_0-128');
    expect(query.get('bounds')).toBeNull();
  });

  test.each<[call: string, args: string[], expected: unknown[]]>([
    [
      'is-latest',
      [old, successor, '--timestamp', isoOf(LAST)],
      [
        { id: old, is_latest: false },
        { id: successor, is_latest: true },
      ],
    ],
    ['is-latest', [old, '--timestamp', isoOf(0)], [{ id: old, is_latest: true }]],
    ['timestamps', [old], [{ id: old, timestamp: isoOf(0) }]],
    [
      'suggest',
      [old, '--timestamp', isoOf(LAST)],
      [{ id: old, changed: true, suggestions: [{ root: successor, confidence: 1 }] }],
    ],
    ['original-roots', [old], [{ id: old, roots: [old] }]],
    [
      'valid-nodes',
      [old, UNKNOWN],
      [
        { id: old, valid: true },
        { id: UNKNOWN, valid: false },
      ],
    ],
    ['last-edit', [old], [{ id: old, last_edit: null }]],
    ['info', [], [JSON.parse(JSON.stringify(pcgGraph.info))]],
    ['versions', [], [{ api: [0, 1], server: '2.21.1' }]],
    [
      'request',
      [`node/${sv(0)}/root`, '--query', `timestamp=${Date.parse(isoOf(0)) / 1000}`],
      [{ root_id: rootAt(0, 0) }],
    ],
    [
      'request',
      [
        `is_latest_roots`,
        '--query',
        `timestamp=${Date.parse(isoOf(LAST)) / 1000 + 1}`,
        '--body',
        `{"node_ids":[${successor}]}`,
      ],
      [{ is_latest: [true] }],
    ],
  ])('%s %j', async (call, args, expected) => expect(await answers(call, args)).toEqual(expected));

  test('request reads text and IDs', async () => {
    expect(await runCall('request', ['/segmentation/api/version', '--as', 'text'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2.21.1') as unknown as string,
    });
    const [{ l2_ids: level2, supervoxel_ids: supervoxels }] = (await answers('chunk-children', [
      sv(0),
      '--timestamp',
      isoOf(0),
    ])) as [{ l2_ids: string[]; supervoxel_ids: string[] }];
    const chunk = String((BigInt(level2[0]) >> 32n) << 32n);
    const binary = await runCall('request', [
      `l2_chunk_children_binary/${chunk}`,
      '--query',
      'as_array=true',
      '--query',
      `timestamp=${Date.parse(isoOf(0)) / 1000}`,
      '--as',
      'ids',
    ]);
    expect(JSON.parse(binary.stdout)).toEqual(level2.flatMap((id, k) => [id, supervoxels[k]]));
  });

  test('delta, lineage, changelog, operation and operations agree', async () => {
    const [{ old_roots: gone, new_roots: made }] = await answers('delta', [
      '--from',
      isoOf(0),
      '--to',
      isoOf(LAST),
    ]);
    const at = (epoch: number): string[] => [...new Set(ns.map((n) => rootAt(n, epoch)))];
    expect([(gone as string[]).sort(), (made as string[]).sort()]).toEqual([
      at(0)
        .filter((root) => !at(LAST).includes(root))
        .sort(),
      at(LAST)
        .filter((root) => !at(0).includes(root))
        .sort(),
    ]);

    const [{ nodes, links }] = (await answers('lineage', [successor])) as [
      { nodes: { id: string; timestamp: string }[]; links: { source: string; target: string }[] },
    ];
    expect(links.map(({ source }) => source)).toContain(old);
    expect(nodes.find(({ id }) => id === old)).toMatchObject({ timestamp: isoOf(0) });

    const [{ id, operations }] = (await answers('changelog', [successor])) as [
      {
        id: string;
        operations: {
          operation_id: number;
          before_root_ids?: string[];
          before_roots: string[];
          is_merge: boolean;
          timestamp: string;
        }[];
      },
    ];
    expect(id).toBe(successor);
    expect(operations.flatMap(({ before_roots: before }) => before)).toContain(old);
    const numbers = operations.map(({ operation_id: number }) => String(number));
    expect(
      (await answers('operation', numbers)).map(({ id, user_id: user, timestamp }) => [
        id,
        typeof user,
        typeof timestamp,
      ]),
    ).toEqual(numbers.map((number) => [number, 'string', 'string']));
    const all = await answers('operations', ['--to', isoOf(LAST)]);
    expect(all.map(({ operation_id: number }) => String(number))).toEqual(expect.arrayContaining(numbers));
    expect((await answers('change-counts', [successor]))[0]).toMatchObject({
      id: successor,
      merges: operations.filter(({ is_merge: merge }) => merge).length,
    });
  });

  test('children, subgraph, level2-graph and chunk-children agree', async () => {
    const root = currentRoots.find((id) => leavesOf(id, LAST).length > 2)!;
    const [{ leaves }] = (await answers('leaves', [root])) as [{ leaves: string[] }];
    const [{ edges }] = (await answers('subgraph', [root])) as [{ edges: string[][] }];
    expect(edges.length).toBeGreaterThan(0);
    expect(leaves).toEqual(expect.arrayContaining(edges.flat()));
    const [{ children }] = (await answers('children', [root])) as [{ children: string[] }];
    expect(children.length).toBeGreaterThan(0);
    const [{ l2_ids: level2, supervoxel_ids: supervoxels }] = (await answers('chunk-children', [
      leaves[0],
      '--timestamp',
      isoOf(LAST),
    ])) as [{ l2_ids: string[]; supervoxel_ids: string[] }];
    expect([level2.length, supervoxels.includes(leaves[0])]).toEqual([supervoxels.length, true]);
    expect(await answers('covering-nodes', [...leaves, '--timestamp', isoOf(LAST)])).toEqual([
      { nodes: [root] },
    ]);
  });

  test('past-ids, latest-roots, merge-log, user-operations and oldest-timestamp give the recorded history', async () => {
    const [{ id, past }] = (await answers('past-ids', [successor, '--from', isoOf(0)])) as [
      { id: string; past: string[] },
    ];
    expect([id, past]).toEqual([successor, expect.arrayContaining([old])]);
    expect(await answers('latest-roots', [old, successor, '--timestamp', isoOf(LAST)])).toEqual([
      { id: old, roots: expect.arrayContaining([successor]) as unknown },
      { id: successor, roots: [successor] },
    ]);
    // The users, times and kinds of edits are in spec/fixtures/pcg/graph.json.
    expect(await answers('user-operations', ['101'])).toEqual(
      [1, 2, 7].map((number) => ({ operation_id: number, timestamp: isoOf(number) })),
    );
    expect(await answers('oldest-timestamp', [])).toEqual([
      { oldest_timestamp: new Date(Date.parse(isoOf(1)) - 500).toISOString() },
    ]);
    const [{ merges }] = (await answers('merge-log', [rootAt(0, 1)])) as [
      { merges: { operation_id: number; added_edges: string[][] }[] },
    ];
    for (const { added_edges: edges } of merges)
      for (const pair of edges) expect(pair.map((end) => /^\d+$/.test(end))).toEqual([true, true]);
  });

  test('path gives each layer-2 node with its centroid', async () => {
    const body =
      '{"centroids_list":[[1,2,3],[4,5,6.5]],"l2_path":["144115188075855873","144115188075855874"],"failed_l2_ids":[]}';
    graph.faults.push({
      match: /find_path/,
      status: 200,
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(
      await answers('path', ['--source', `${currentRoots[0]},1,2,3`, '--sink', `${currentRoots[0]},4,5,6`]),
    ).toEqual([
      {
        l2_ids: ['144115188075855873', '144115188075855874'],
        centroids_nm: [
          [1, 2, 3],
          [4, 5, 6.5],
        ],
        failed_l2_ids: [],
      },
    ]);
    expect(
      await runCall('path', ['--source', '1,2,3,4', '--source', '1,2,3,4', '--sink', '1,2,3,4']),
    ).toMatchObject({ code: 2, stderr: 'error: a path needs exactly one --source and one --sink\n' });
  });

  test('a failed ID does not affect the others', async () => {
    graph.faults.push({ match: new RegExp(`/node/${old}/leaves`), status: 500 });
    const { code, stdout, stderr } = await runCall('leaves', [currentRoots[0], old, currentRoots[1]]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; leaves?: string[]; error?: string; message?: string });
    expect([code, lines.map(({ id, leaves, error }) => [id, leaves?.length ?? error])]).toEqual([
      1,
      [
        [currentRoots[0], leavesOf(currentRoots[0], LAST).length],
        [old, 'HTTP_STATUS'],
        [currentRoots[1], leavesOf(currentRoots[1], LAST).length],
      ],
    ]);
    expect(stderr).toMatch(new RegExp(`^warning: ${old}: .*leaves.*\n$`));
  });

  test('unknown operations and rows without an ID are reported and exit with 1', async () => {
    expect(await runCall('operation', ['99999'])).toEqual({
      code: 1,
      stdout: '{"id":"99999","error":"UNKNOWN_ID","message":"the log has no operation with this ID"}\n',
      stderr: 'warning: 99999: the log has no operation with this ID\n',
    });
    expect(await runCall('is-latest', ['--ids', '-'], `nan\n${successor}\n`)).toEqual({
      code: 1,
      stdout: `{"id":"${successor}","is_latest":true}\n`,
      stderr: 'warning: row 1 (line 1): column root_id: "nan" is not an ID; left out\n',
    });
    expect(await runCall('is-latest', ['--ids', '-'], `root_id\n7.5\n${successor}\n`)).toEqual({
      code: 1,
      stdout: `{"id":"${successor}","is_latest":true}\n`,
      stderr: 'warning: row 1 (line 2): column root_id: "7.5" is not a uint64 ID; invalid_id\n',
    });
  });

  test.each<[string, string[], RegExp]>([
    ['leaves', [], /^error: no IDs: name them after the cloud path or in --ids FILE\n$/],
    [
      'leaves',
      ['1', '--ids', '-'],
      /^error: name the IDs after the cloud path or in --ids FILE, not both\n$/,
    ],
    [
      'leaves',
      ['1', '--ids', 'none.txt', '--bounds', '1,2'],
      /expected six numbers, such as 0,0,0,512,512,64\.\n$/,
    ],
    ['leaves', ['seven'], /^error: "seven" is not a uint64 ID\n$/],
    ['leaves', ['18446744073709551616'], /^error: "18446744073709551616" is not a uint64 ID\n$/],
    [
      'leaves',
      ['--ids', 'none.txt'],
      /^error: none\.txt cannot be read: no such file or directory \(ENOENT\)\n$/,
    ],
    ['leaves', [old, '--stop-layer', '9'], /^error: stopLayer must be a whole number from 1 to 4/],
    ['is-latest', [old, '--timestamp', 'soon'], /^error: "soon" is not a timestamp/],
    [
      'is-latest',
      [old, '--timestamp', 'mat_943'],
      /^error: 'mat_943' names a materialization, which only a datastack has: open the volume as cave:/,
    ],
    [
      'delta',
      ['--from', 'mat'],
      /^error: 'mat' names a materialization, which only a datastack has: open the volume as cave:/,
    ],
    [
      'valid-nodes',
      [old, '--to', 'mat_943'],
      /'mat_943' names a materialization, which only a datastack has: open the volume as cave:/,
    ],
    ['delta', [], /^error: required option '--from <time>/],
    ['request', ['merge', '--body', '[]'], /^error: .*would change the graph/],
    ['request', ['x', '--body', '{'], /^error: --body is not JSON\n$/],
    ['path', ['--source', '1,2,3,4', '--sink', '1,2'], /expected an ID and three numbers/],
    ['merge', [], /^error: unknown command 'merge'\n/],
  ])('%s %j is refused with 2', async (call, args, message) => {
    const { code, stdout, stderr } = await runCall(call, args, '');
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('writes to a file, and ends quietly when the reader closes the output', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graph-'));
    await writeFile(join(folder, 'ids.txt'), `${successor}\n`);
    expect(
      await runCall('is-latest', ['--ids', join(folder, 'ids.txt'), '--out', join(folder, 'out.jsonl')]),
    ).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(join(folder, 'out.jsonl'), 'utf8')).toBe(
      `{"id":"${successor}","is_latest":true}\n`,
    );
    await rm(folder, { recursive: true });
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    let messages = '';
    const stderr = new Writable({
      write: (chunk: Buffer, _encoding, done) => ((messages += chunk.toString()), done()),
    });
    const code = await runArgv(['graph', 'children', served.path, ...currentRoots], {
      stdin: new PassThrough(),
      stdout: gone,
      stderr,
      env: {},
      signal: new AbortController().signal,
    });
    expect([code, messages]).toEqual([0, '']);
  });

  test('an interrupt exits with 130', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await runCli(['graph', 'children', served.path, old], { signal })).toEqual({
      code: 130,
      stdout: '',
      stderr: 'interrupted\n',
    });
  });

  test('has help for every call', async () => {
    const { stdout } = await runCli(['graph', '--help']);
    for (const [name, { summary }] of Object.entries(GRAPH_COMMANDS)) {
      expect(stdout).toContain(`\n  ${name} `);
      expect((await runCli(['graph', name, '--help'])).stdout.replace(/\s+/g, ' ')).toContain(`${summary}.`);
    }
  });
});
