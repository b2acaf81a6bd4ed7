/**
 * Datastacks: the description of the info service is used, and each server gets only the token that is meant
 * for it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  type DatastackPath,
  type GrapheneVolume,
  type OpenGrapheneOptions,
} from '../../lib/index.ts';
import {
  mockCave,
  mockServer,
  serveMocks,
  type Fault,
  type MockCaveOptions,
  type ServedMocks,
} from '../../mocks/index.ts';
import { secretsFolder } from '../support/clouds.ts';
import { BEFORE, MERGED_AT, rootOf, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

nock.restore();

const TOKENS = {
  'of-info-0123456789': {},
  'of-graph-0123456789': {},
  'of-env-0123456789': {},
  'common-0123456789': {},
  'of-auth-0123456789': {},
};
const ONE = supervoxel([0, 0, 0], 1),
  TWO = supervoxel([0, 0, 0], 2);
const VERSIONS = { 7: BEFORE, 943: MERGED_AT };
const HOME = { CLOUD_VOLUME_DIR: process.env.CLOUD_VOLUME_DIR, CAVE_TOKEN: process.env.CAVE_TOKEN };

/** Three hosts: the info service, the graph with its bucket, and the materializations. */
let info: ServedMocks, graphHost: ServedMocks, local: ServedMocks;
const about: Record<string, unknown> = {};
const caveOptions: MockCaveOptions = {
  datastack: 'world_v1',
  table: 'world',
  tokens: TOKENS,
  datastackInfo: about,
};
const service = mockCave(caveOptions),
  materializations = mockCave({ ...caveOptions, versions: VERSIONS });
const graph = worldGraph({ tokens: TOKENS }),
  bucket = worldBucket();
const logs = {
  info: service['/info'].log,
  graph: graph.log,
  local: materializations['/materialize'].log,
  bucket: bucket.log,
};
let folder: string;

beforeAll(async () => {
  [info, graphHost, local] = await Promise.all([
    serveMocks(service),
    serveMocks({ '/segmentation': graph, '/bucket': bucket }),
    serveMocks(materializations),
  ]);
});
afterAll(() => Promise.all([info, graphHost, local].map((served) => served.close())));
beforeEach(() => {
  folder = secretsFolder();
  process.env.CLOUD_VOLUME_DIR = folder;
  delete process.env.CAVE_TOKEN;
  for (const name of Object.keys(about)) delete about[name];
  Object.assign(about, {
    segmentation_source: `graphene://${graphHost.url}/segmentation/table/world`,
    local_server: local.url,
  });
  for (const log of Object.values(logs)) log.clear();
  graph.faults.length = bucket.faults.length = service['/info'].faults.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(HOME)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const quiet = { retries: 0, logger: { warn: () => undefined } };
const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
  openGraphene('cave://world_v1', { server: info.url, ...quiet, ...options });
const keep = (host: string, token: string): void =>
  writeFileSync(
    join(folder, 'secrets', host === '' ? 'cave-secret.json' : `${host}-cave-secret.json`),
    JSON.stringify({ token }),
  );
const hostOf = ({ url }: ServedMocks): string => new URL(url).host;
const sent = (log: (typeof logs)[keyof typeof logs]): string[] => [
  ...new Set(log.requests.map(({ headers }) => headers.authorization ?? 'none')),
];

describe('a datastack', () => {
  beforeEach(() => keep('', 'common-0123456789'));

  test.each<[string, () => [string | DatastackPath, OpenGrapheneOptions]]>([
    ['by its path', () => ['cave://world_v1', { server: info.url }]],
    ['by its name', () => [{ datastack: 'world_v1', server: info.url }, {}]],
    [
      'on the server that CAVEclient has saved',
      () => (
        writeFileSync(
          join(folder, 'secrets', 'cave_datastack_to_server_map.json'),
          JSON.stringify({ world_v1: info.url }),
        ),
        ['cave://world_v1', {}]
      ),
    ],
  ])('is opened %s', async (_, how) => {
    const [path, options] = how();
    await using volume = await openGraphene(path, { ...quiet, ...options, timestamp: BEFORE });
    const { supervoxelIds, rootIds } = await volume.scatteredPoints([
      [17, 8, 4],
      [17, 15, 4],
    ]);
    expect([[...supervoxelIds], [...rootIds]]).toEqual([
      [ONE, TWO],
      [rootOf(0, 1), rootOf(0, 2)],
    ]);
    expect(volume.datastack).toMatchObject({
      name: 'world_v1',
      server: info.url,
      localServer: local.url,
      segmentationSource: about.segmentation_source,
      viewerResolution: [4, 4, 40],
    });
    expect(await volume.datastack!.versions()).toEqual([7, 943]);
    expect(await volume.datastack!.timestampOf('newest')).toEqual(new Date(MERGED_AT));
  });

  test("gives the resolution of its viewer for resolution: 'viewer'", async () => {
    // The voxels are 8 x 8 x 40 nm; the viewer's unit is 4 x 4 x 40 nm.
    await using volume = await open({ resolution: 'viewer', timestamp: BEFORE });
    expect((await volume.scatteredPoints([[34, 30, 4]])).supervoxelIds[0]).toBe(TWO);
    expect((await volume.scatteredPoints([[17, 15, 4]], { resolution: [8, 8, 40] })).supervoxelIds[0]).toBe(
      TWO,
    );
    await using other = await open({ timestamp: BEFORE });
    expect((await other.scatteredPoints([[17, 15, 4]])).supervoxelIds[0]).toBe(TWO);
    expect(await other.supervoxelAt([34, 30, 4], { resolution: 'viewer' })).toBe(TWO);
  });

  test("throws InfoError for resolution: 'viewer' when it names none, at opening and in a call", async () => {
    about.viewer_resolution_x = null;
    const error = {
      name: 'InfoError',
      code: 'NOT_FOUND',
      message: expect.stringContaining('world_v1 names no viewer resolution'),
    };
    await expect(open({ resolution: 'viewer' })).rejects.toMatchObject(error);
    await using volume = await open();
    await expect(volume.scatteredPoints([[1, 1, 1]], { resolution: 'viewer' })).rejects.toMatchObject(error);
    expect(logs.bucket.requests).toEqual([]);
  });

  test('opens despite an invalid viewer or materialization server, if neither is needed', async () => {
    Object.assign(about, { viewer_resolution_z: 0, local_server: 'not a url' });
    await using volume = await open();
    expect(await volume.rootOf(TWO, { timestamp: BEFORE })).toBe(rootOf(0, 2));
    expect(volume.datastack).toMatchObject({ viewerResolution: undefined, localServer: undefined });
    const viewer = {
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringContaining('viewer_resolution_z is 0'),
    };
    await expect(volume.scatteredPoints([[1, 1, 1]], { resolution: 'viewer' })).rejects.toMatchObject(viewer);
    await expect(open({ resolution: 'viewer' })).rejects.toMatchObject(viewer);
    const server = { name: 'PathError', code: 'BAD_PATH', message: expect.stringContaining('local_server') };
    for (const call of [
      volume.datastack!.versions(),
      volume.datastack!.timestampOf('newest'),
      volume.rootOf(TWO, { timestamp: 'mat_7' }),
      open({ timestamp: 'mat' }),
    ])
      await expect(call).rejects.toMatchObject(server);
    expect(logs.local.requests).toEqual([]);
  });

  test('finds its materializations on a server whose URL has a path', async () => {
    const below = mockServer((request) => materializations['/materialize'].handle(request));
    await using prefixed = await serveMocks({ '/some/path': below });
    about.local_server = `${prefixed.url}/some/path/`;
    await using volume = await open();
    expect(volume.datastack!.localServer).toBe(`${prefixed.url}/some/path`);
    expect(await volume.datastack!.versions()).toEqual([7, 943]);
    expect(await volume.rootOf(TWO, { timestamp: 'mat_7' })).toBe(rootOf(0, 2));
    expect(below.log.requests.map(({ path }) => path.split('/').slice(0, 3).join('/'))).toEqual([
      '/materialize/api',
      '/materialize/api',
    ]);
  });

  test.each<[string, (volume: GrapheneVolume) => Promise<unknown>, unknown]>([
    [
      'roots',
      (volume) =>
        volume
          .roots([ONE, TWO], { timestamp: 'mat_7' })
          .then(({ rootIds, timestamp }) => [...rootIds, timestamp]),
      [rootOf(0, 1), rootOf(0, 2), new Date(BEFORE)],
    ],
    [
      'points',
      (volume) =>
        volume
          .scatteredPoints([[17, 8, 4]], { timestamp: 'mat_7' })
          .then(({ rootIds, timestamp }) => [rootIds[0], timestamp]),
      [rootOf(0, 1), new Date(BEFORE)],
    ],
    ['one ID', (volume) => volume.rootOf(TWO, { timestamp: 'mat_7' }), rootOf(0, 2)],
    ['one point', (volume) => volume.rootAt([17, 15, 4], { timestamp: 'MAT_7' }), rootOf(0, 2)],
    ['a volume at it', (volume) => volume.at('mat_7').rootOf(TWO), rootOf(0, 2)],
    ['the graph', (volume) => volume.graph.root(TWO, { timestamp: 'mat_7' }), rootOf(0, 2)],
    [
      'roots of the graph',
      (volume) => volume.graph.roots([TWO], { timestamp: 'mat_7' }).then(([root]) => root),
      rootOf(0, 2),
    ],
    [
      'the graph of a volume at it',
      (volume) => volume.at('mat_7').graph.isLatestRoots([rootOf(0, 1)]),
      [true],
    ],
    [
      'a window',
      (volume) =>
        volume.graph.deltaRoots({ from: 'mat_7', to: 'mat' }).then(({ oldRoots }) => oldRoots.length),
      2,
    ],
    ['the newest', (volume) => volume.graph.isLatestRoots([rootOf(0, 1)], { timestamp: 'mat' }), [false]],
  ])('accepts a version as a timestamp: %s', async (_, call, answer) => {
    await using volume = await open();
    expect(await call(volume)).toEqual(answer);
  });

  test('looks up a version once per volume, and not when no root is requested', async () => {
    await using volume = await open({ timestamp: 'mat_7' });
    await Promise.all([
      volume.rootOf(ONE),
      volume.roots([TWO], { timestamp: 'mat_7' }),
      volume.rootOf(TWO, { timestamp: 'mat_7' }),
    ]);
    await volume.scatteredPoints([[17, 8, 4]], { timestamp: 'mat', agglomerate: false });
    // once, when the volume was opened
    expect(logs.local.requests.map(({ path }) => path.split('/').slice(-2).join('/'))).toEqual(['version/7']);
  });

  test('throws for an unknown version before any other request', async () => {
    const unknown = {
      name: 'InfoError',
      code: 'NOT_FOUND',
      message: `${local.url} has no version 8 of datastack world_v1`,
    };
    await expect(open({ timestamp: 'mat_8' })).rejects.toMatchObject(unknown);
    expect(logs.graph.requests).toEqual([]);
    await using volume = await open();
    await expect(volume.scatteredPoints([[17, 8, 4]], { timestamp: 'mat_8' })).rejects.toMatchObject(unknown);
    expect(logs.bucket.requests).toEqual([]);
    about.local_server = null;
    await expect(open({ timestamp: 'mat' })).rejects.toMatchObject({
      name: 'TimestampError',
      message: 'datastack world_v1 names no server for materializations',
    });
  });
});

describe('a volume without a datastack', () => {
  test('has neither versions nor a viewer', async () => {
    const path = `graphene://${graphHost.url}/segmentation/table/world`,
      noVersion = {
        name: 'TimestampError',
        code: 'BAD_TIMESTAMP',
        message: expect.stringContaining('cave://'),
      };
    const noViewer = { name: 'InfoError', code: 'UNSUPPORTED', message: expect.stringContaining('cave://') };
    await expect(openGraphene(path, { timestamp: 'mat' })).rejects.toMatchObject(noVersion);
    await expect(openGraphene(path, { resolution: 'viewer' })).rejects.toMatchObject(noViewer);
    expect(logs.graph.requests).toEqual([]);
    await using volume = await openGraphene(path, { ...quiet, token: 'common-0123456789' });
    expect(volume.datastack).toBeUndefined();
    expect(() => volume.at('mat_7')).toThrow(
      expect.objectContaining({ ...noVersion, message: expect.stringContaining("'mat_7'") }),
    );
    for (const call of [
      volume.roots([ONE], { timestamp: 'mat' }),
      volume.scatteredPoints([[17, 8, 4]], { timestamp: 'mat', agglomerate: false }),
      volume.graph.root(ONE, { timestamp: 'mat' }),
    ])
      await expect(call).rejects.toMatchObject(noVersion);
    await expect(volume.rootAt([1, 1, 1], { resolution: 'viewer' })).rejects.toMatchObject(noViewer);
  });

  test.each<[string, () => Promise<unknown>, object]>([
    [
      'a server',
      () => openGraphene('graphene://https://x.org/segmentation/table/t', { server: 'https://y.org' }),
      { name: 'TypeError' },
    ],
    [
      'a server twice',
      () => openGraphene({ datastack: 'a', server: 'https://x.org' }, { server: 'https://y.org' }),
      { name: 'TypeError' },
    ],
    ['no name', () => openGraphene({} as DatastackPath), { name: 'PathError', code: 'BAD_PATH' }],
    [
      'a name with slashes',
      () => openGraphene({ datastack: '../x' }),
      { name: 'PathError', code: 'BAD_PATH' },
    ],
    [
      'a server that is not a URL of a server',
      () => openGraphene('cave://a', { server: 'ftp://x.org' }),
      { name: 'PathError', code: 'BAD_PATH' },
    ],
    [
      'a number as server',
      () => openGraphene('cave://a', { server: 5 as unknown as string }),
      { name: 'TypeError' },
    ],
    [
      'a datastack path in openPrecomputed',
      () => openPrecomputed('cave://a'),
      { name: 'PathError', code: 'BAD_PATH' },
    ],
    [
      "resolution 'viewer' in openPrecomputed",
      () => openPrecomputed('/nowhere', { resolution: 'viewer' as never }),
      { name: 'InfoError', code: 'UNSUPPORTED' },
    ],
  ])('is refused with %s', async (_, call, error) => expect(call()).rejects.toMatchObject(error));
});

describe('a token', () => {
  const look = async (options: OpenGrapheneOptions = {}): Promise<string[][]> => {
    await using volume = await open({ timestamp: 'mat_7', ...options });
    await volume.rootAt([17, 8, 4]);
    return [sent(logs.info), sent(logs.local), sent(logs.graph), sent(logs.bucket)];
  };

  test("is the graph host's own for the graph, else that of the info service, before the common token", async () => {
    keep('', 'common-0123456789');
    keep(hostOf(info), 'of-info-0123456789');
    keep(hostOf(graphHost), 'of-graph-0123456789');
    expect(await look()).toEqual([
      ['Bearer of-info-0123456789'],
      ['Bearer of-info-0123456789'],
      ['Bearer of-graph-0123456789'],
      ['none'],
    ]);
  });

  test('is that of the auth server that the user names', async () => {
    keep(hostOf(info), 'of-info-0123456789');
    keep('auth.example.org', 'of-auth-0123456789');
    expect(await look({ authServer: 'https://auth.example.org' })).toEqual([
      ['Bearer of-info-0123456789'],
      ['Bearer of-auth-0123456789'],
      ['Bearer of-auth-0123456789'],
      ['none'],
    ]);
  });

  test('is the option before CAVE_TOKEN, and CAVE_TOKEN before all files', async () => {
    keep(hostOf(graphHost), 'of-graph-0123456789');
    process.env.CAVE_TOKEN = 'of-env-0123456789';
    expect(await look()).toEqual([
      ['Bearer of-env-0123456789'],
      ['Bearer of-env-0123456789'],
      ['Bearer of-env-0123456789'],
      ['none'],
    ]);
    for (const log of Object.values(logs)) log.clear();
    expect((await look({ token: 'of-info-0123456789' })).flat()).toEqual([
      ...Array<string>(3).fill('Bearer of-info-0123456789'),
      'none',
    ]);
  });

  test('of a host that only a 401 reply names is not used', async () => {
    mkdirSync(join(folder, 'secrets'), { recursive: true });
    keep('auth.invalid', 'of-auth-0123456789'); // the realm of the mock's WWW-Authenticate
    await expect(open()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('auth.invalid'),
    });
    expect(sent(logs.info)).toEqual(['none']);
  });

  test.each([301, 302, 307, 308])('follows no redirect (%d) of any server', async (status) => {
    const requested = worldBucket();
    await using stranger = await serveMocks({ '/': requested });
    const fault = { status, headers: { location: `${stranger.url}/info` } };
    service['/info'].faults.push({ match: /datastack/, ...fault });
    await expect(open({ token: 'common-0123456789' })).rejects.toMatchObject({ code: 'LOGIN_REDIRECT' });
    service['/info'].faults.length = 0;
    graph.faults.push({ match: /info/, ...fault });
    await expect(open({ token: 'common-0123456789' })).rejects.toMatchObject({ code: 'LOGIN_REDIRECT' });
    expect(requested.log.requests).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, object]>([
    [
      'that has no TLS',
      { segmentation_source: 'graphene://http://graph.example.org/segmentation/table/t' },
      { name: 'PathError', code: 'INSECURE_TOKEN' },
    ],
    [
      'that is a local file',
      { segmentation_source: 'file:///etc' },
      { name: 'InfoError', code: 'UNSUPPORTED' },
    ],
    [
      'that has a password in its URL',
      { segmentation_source: 'graphene://https://u:p@graph.example.org/segmentation/table/t' },
      { name: 'PathError', code: 'BAD_PATH' },
    ],
  ])('is not sent to a segmentation source %s', async (_, record, error) => {
    Object.assign(about, record);
    await expect(open({ token: 'common-0123456789' })).rejects.toMatchObject(error);
    expect([...logs.graph.requests, ...logs.local.requests]).toEqual([]);
  });

  test('is not sent to a materialization server without TLS', async () => {
    about.local_server = 'http://local.example.org';
    await expect(open({ token: 'common-0123456789', timestamp: 'mat' })).rejects.toMatchObject({
      name: 'PathError',
      code: 'INSECURE_TOKEN',
    });
    expect([...logs.graph.requests, ...logs.local.requests]).toEqual([]);
  });

  test('appears in no error, in whatever way it is printed', async () => {
    const token = 'common-0123456789';
    const faults: Fault[] = [
      { status: 403, body: `no ${token}` },
      { status: 500, body: JSON.stringify({ message: `Bearer ${token}`, traceback: [token] }) },
      {
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="https://auth.invalid/${token}/authorize"` },
      },
      { reset: true },
      { status: 200, body: `<html>${token}` },
    ];
    for (const fault of faults) {
      service['/info'].faults.splice(0, 1, { match: /datastack/, ...fault });
      const error: unknown = await open({ token }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(
        inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + (error as Error).stack,
      ).not.toContain(token);
    }
  });
});
