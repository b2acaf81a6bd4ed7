import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import got from 'got';
import { openGraphene, openPrecomputed } from '../../lib/index.ts';
import { buildWorld, writeWorld } from '../../mocks/world.ts';
import { program } from '../support/program.ts';
import { runCli } from './run-cli.ts';

const main = program('lib/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
const world = buildWorld({
  labels: (x) => (x < 8 ? 1n : 2n),
  size: [16, 4, 2],
  chunkSize: [8, 4, 2],
  table: 'drawn',
  edits: [
    {
      timestamp: '2024-06-05T10:10:01.203Z',
      merge: [
        [0, 0, 0],
        [8, 0, 0],
      ],
    },
  ],
});
writeWorld(folder, world);
afterAll(() => rmSync(folder, { recursive: true }));
const volume = join(folder, 'volume'),
  graph = join(folder, 'graph.json');

interface Line {
  url: string;
  cloudpath: string;
  table?: string;
  datastack?: string;
  server?: string;
  bucket: string;
  requests: string;
  faults: string;
}

/** The processes that a failed test did not stop. */
const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));

/** Starts the command as a process, as other languages do. */
async function start(...flags: string[]) {
  const child = spawn(process.execPath, [main, 'mock', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const stop = async (signal: NodeJS.Signals): Promise<unknown[]> => {
    const closed = once(child, 'close');
    child.kill(signal);
    return closed;
  };
  return { line: line.toString(), served: JSON.parse(line.toString()) as Line, stop };
}

describe('graphene-points mock', () => {
  test('serves a graph with its volume until SIGTERM, and prints the URLs', async () => {
    const { line, served, stop } = await start('--volume', volume, '--graph', graph);
    expect(line).toMatch(/^\{.*\}\n$/);
    const { url } = served;
    expect(served).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      cloudpath: `graphene://${url}/segmentation/table/drawn`,
      table: 'drawn',
      bucket: `${url}/bucket`,
      requests: `${url}/mock/requests`,
      faults: `${url}/mock/faults`,
    });
    await using opened = await openGraphene(served.cloudpath, { token: null });
    const ids = [
      ...(
        await opened.at('2024-06-05').scatteredPoints([
          [0, 0, 0],
          [15, 3, 1],
        ])
      ).rootIds,
    ];
    expect(ids[0]).not.toBe(ids[1]);
    expect(await opened.rootAt([15, 3, 1])).toBe(await opened.rootAt([0, 0, 0]));
    expect(await stop('SIGTERM')).toEqual([0, null]);
    await expect(got(`${url}/bucket/info`, { retry: { limit: 0 } })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test('shows its requests, accepts faults, and ends with 0 on SIGINT, too', async () => {
    const { served, stop } = await start(
      '--volume',
      volume,
      '--graph',
      graph,
      '--table',
      'renamed',
      '--token',
      'graph-token',
      '--bucket-token',
      'bucket-token',
    );
    const info = `${served.url}/segmentation/table/renamed/info`,
      options = { throwHttpErrors: false, retry: { limit: 0 } };
    const statusWith = async (headers: Record<string, string>): Promise<number> =>
      (await got(info, { ...options, headers })).statusCode;
    expect([
      await statusWith({ authorization: 'Bearer other' }),
      await statusWith({ authorization: 'Bearer graph-token' }),
      (await got(`${served.bucket}/info`, options)).statusCode,
    ]).toEqual([401, 200, 403]);
    await got.post(served.faults, { json: { server: 'graph', match: 'info$', times: 1, status: 503 } });
    expect([
      await statusWith({ authorization: 'Bearer graph-token' }),
      await statusWith({ authorization: 'Bearer graph-token' }),
    ]).toEqual([503, 200]);
    const lines = await got(served.requests).json<{ server: string; path: string; status: number }[]>();
    expect(lines.map(({ server, path, status }) => [server, path, status])).toEqual([
      ...[401, 200, 503, 200].map((status) => ['graph', '/segmentation/table/renamed/info', status]),
      ['bucket', '/info', 403],
    ]);
    expect(await stop('SIGINT')).toEqual([0, null]);
  });

  test('serves a datastack with its materializations', async () => {
    const flags = ['--volume', volume, '--graph', graph, '--token', 'cave-token', '--cave'];
    const { served, stop } = await start(
      ...flags,
      '--materialization',
      '7=2024-06-05',
      '--materialization',
      '12=2024-06-06T01:02:03Z',
    );
    expect(served).toMatchObject({ table: 'drawn', datastack: 'cave://mock', server: served.url });
    const options = { server: served.server, token: 'cave-token' };
    await using opened = await openGraphene('cave://mock', { ...options, resolution: 'viewer' });
    expect(opened.datastack?.viewerResolution).toEqual(world.volume.info.scales[0].resolution);
    expect(await opened.datastack!.versions()).toEqual([7, 12]);
    const apart = await opened.roots([...world.supervoxelsOf(1), ...world.supervoxelsOf(2)], {
      timestamp: 'mat_7',
    });
    const joined = await opened.scatteredPoints(
      [
        [0, 0, 0],
        [15, 3, 1],
      ],
      { timestamp: 'mat' },
    );
    expect([new Set(apart.rootIds).size, new Set(joined.rootIds).size]).toEqual([2, 1]);
    expect(joined.timestamp).toEqual(new Date('2024-06-06T01:02:03Z'));
    await expect(openGraphene('cave://mock', { ...options, token: 'another' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    expect(await stop('SIGTERM')).toEqual([0, null]);
  });

  test('serves a volume without a graph', async () => {
    const { served, stop } = await start('--volume', volume);
    expect([served.cloudpath, served.table]).toEqual([`precomputed://${served.url}/bucket`, undefined]);
    await using opened = await openPrecomputed(served.cloudpath);
    expect([...(await opened.scatteredPoints([[8, 0, 0]])).values]).toEqual([world.supervoxelAt([8, 0, 0])]);
    expect(
      (await got(`${served.url}/segmentation/table/drawn/info`, { throwHttpErrors: false })).statusCode,
    ).toBe(404);
    expect(await stop('SIGTERM')).toEqual([0, null]);
  });

  const bad = (text: string): string[] => {
    const file = join(folder, 'bad.json');
    writeFileSync(file, text);
    return ['--volume', volume, '--graph', file];
  };
  test.each([
    {
      name: 'no volume',
      flags: () => ['--volume', folder],
      says: /^error: --volume: .* has no info file\n$/,
    },
    {
      name: 'no graph',
      flags: () => ['--volume', volume, '--graph', join(folder, 'none.json')],
      says: /--graph .*none\.json: ENOENT/,
    },
    { name: 'a graph that is not JSON', flags: () => bad('{'), says: /--graph .*bad\.json: / },
    {
      name: 'a graph without info',
      flags: () => bad('{"supervoxels": []}'),
      says: /bad\.json: it has no info with a graph/,
    },
    {
      name: 'IDs as numbers',
      flags: () => bad('{"info": {"graph": {}}, "supervoxels": [72057594037927937]}'),
      says: /bad\.json: 0 is a number that would be rounded: write IDs as strings/,
    },
    {
      name: 'an invalid port',
      flags: () => ['--volume', volume, '--port', 'http'],
      says: /expected a whole number of at least 0/,
    },
    {
      name: 'a datastack without a graph',
      flags: () => ['--volume', volume, '--cave'],
      says: /--cave: a datastack needs a graph; add --graph/,
    },
    {
      name: 'materializations without a datastack',
      flags: () => ['--volume', volume, '--graph', graph, '--materialization', '7=2024-06-05'],
      says: /--materialization: .*add --cave/,
    },
    {
      name: 'a materialization without a timestamp',
      flags: () => ['--volume', volume, '--materialization', '7'],
      says: /expected a number and a timestamp, such as 943=/,
    },
    {
      name: 'a materialization twice',
      flags: () => [
        '--volume',
        volume,
        '--materialization',
        '7=2024-06-05',
        '--materialization',
        '7=2024-06-06',
      ],
      says: /materialization 7 is given twice/,
    },
    {
      name: 'a materialization at a time that does not exist',
      flags: () => ['--volume', volume, '--materialization', '7=2024-02-30'],
      says: /"2024-02-30" is a date or time that does not exist/,
    },
    { name: 'an empty command line', flags: () => [], says: /required option '--volume <folder>'/ },
  ])('refuses $name', async ({ flags, says }) => {
    const { code, stdout, stderr } = await runCli(['mock', ...flags()]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(says);
  });
});
