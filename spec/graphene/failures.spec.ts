/**
 * One failure affects nothing else: it is a typed error or status that names point, chunk and URL, and never
 * a token.
 */
import { inspect } from 'node:util';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  PartialResultError,
  PointStatus,
  type GrapheneVolume,
  type OpenGrapheneOptions,
  type PointsResult,
} from '../../lib/index.ts';
import type { Progress } from '../../lib/points/point-query.ts';
import { createMockBucket, serveMocks, type Fault, type ServedMocks } from '../../mocks/index.ts';
import { fakeTimeouts } from '../support/fake-timeouts.ts';
import {
  BEFORE,
  GRAPH_INFO,
  rootOf,
  spreadPoints,
  worldBucket,
  worldGraph,
  WORLD,
} from '../../testing/graph-world.ts';
import { supervoxel, tinyInfo } from '../../testing/tiny-volume.ts';

nock.restore(); // importing nock patches http; tests that need it activate it

const HOUR = 3_600_000;
const TOKEN = 'secret-token-0123456789abcdef';
const graph = worldGraph({ token: TOKEN }),
  bucket = worldBucket();
let served: ServedMocks;

beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
afterEach(() => void jest.useRealTimers());
beforeEach(() => {
  graph.faults.length = 0;
  bucket.faults.length = 0;
  graph.log.clear();
  bucket.log.clear();
});

const open = (options: OpenGrapheneOptions = {}) =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: TOKEN,
    retries: 0,
    timestamp: BEFORE,
    logger: { warn: () => undefined },
    ...options,
  });
const caught = async (work: Promise<unknown>): Promise<Error> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('nothing was thrown');
  return error;
};
const everything = (error: unknown): string => inspect(error, { depth: 20, showHidden: true });

describe('one chunk that cannot be read', () => {
  const key = 's0/24-32_8-16_4-8';
  const cases: { name: string; fault: Omit<Fault, 'match'>; options?: OpenGrapheneOptions; cause: object }[] =
    [
      {
        name: 'a 500',
        fault: { status: 500, body: 'broken \u001b[31mdisk' },
        cause: { name: 'RequestError', code: 'HTTP_STATUS', status: 500 },
      },
      {
        name: 'a 403',
        fault: { status: 403, body: 'Forbidden' },
        cause: { code: 'HTTP_STATUS', status: 403 },
      },
      { name: 'a truncated body', fault: { truncate: 100 }, cause: { code: 'CONNECTION' } },
      {
        name: 'a short object',
        fault: { status: 200, body: new Uint8Array(100) },
        cause: { name: 'DecodeError', code: 'WRONG_SIZE' },
      },
      {
        name: 'a long object',
        fault: { status: 200, body: new Uint8Array(3000) },
        cause: { name: 'DecodeError', code: 'WRONG_SIZE' },
      },
      {
        name: 'a Content-Encoding of gzip on a body that is not gzip',
        fault: { headers: { 'content-encoding': 'gzip' } },
        cause: { name: 'DecodeError', code: 'BAD_BITSTREAM' },
      },
      {
        name: 'a stalled server',
        fault: { stall: true },
        options: { idleTimeoutMs: HOUR, workers: 0 }, // the clocks of worker threads cannot be faked
        cause: { code: 'TIMEOUT' },
      },
      { name: 'a reset', fault: { reset: true }, cause: { code: 'CONNECTION' } },
    ];

  test.each(cases)('($name) fails its own points only', async ({ fault, options, cause }) => {
    bucket.faults.push({ match: new RegExp(key), ...fault });
    fakeTimeouts();
    await using volume = await open(options);
    const points = spreadPoints(300);
    // When the other chunks have arrived, the idle time-out of the stalled server is over.
    const onProgress = ({ chunks, chunksDone }: Progress): void => {
      if (fault.stall && chunksDone === chunks - 1) setImmediate(() => jest.advanceTimersByTime(HOUR));
    };
    const error = (await caught(
      volume.scatteredPoints(points, { onProgress }),
    )) as PartialResultError<PointsResult>;
    expect(error).toBeInstanceOf(PartialResultError);
    expect(error.code).toBe('PARTIAL');
    const url = `${served.url}/bucket/${key}`;
    expect([...error.causes.keys()]).toEqual([url]);
    expect(error.causes.get(url)).toMatchObject({
      name: 'ChunkError',
      code: 'CHUNK_FAILED',
      url,
      cause: expect.objectContaining(cause),
    });
    const rows = [...error.result.rows()];
    expect(rows.filter(({ status }) => status === 'failed').map(({ index }) => index)).toEqual([1, 101, 201]);
    for (const { index, status, supervoxelId, rootId, error } of rows) {
      if (status === 'failed')
        expect([supervoxelId, rootId, error?.message]).toEqual([0n, 0n, expect.stringContaining(url)]);
      else
        expect([supervoxelId, error]).toEqual([
          WORLD.labelAt(points[3 * index], points[3 * index + 1], points[3 * index + 2]),
          undefined,
        ]);
    }
    expect(error.message).not.toContain('\u001b');
    expect(everything(error)).not.toContain(TOKEN);
  });

  test("only shows in status with onError: 'status', and is read again by the next call", async () => {
    bucket.faults.push({ match: new RegExp(key), status: 500, times: 1 });
    await using volume = await open();
    const result = await volume.scatteredPoints(spreadPoints(100), { onError: 'status' });
    expect(
      [...result.rows()].filter(({ status }) => status !== 'ok').map(({ index, status }) => [index, status]),
    ).toEqual([[1, 'failed']]);
    expect((await volume.scatteredPoints(spreadPoints(100))).rootIds[1]).toBe(rootOf(0, 1));
  });

  test('is retried when a retry may help', async () => {
    bucket.faults.push({ match: new RegExp(key), status: 503, times: 2, headers: { 'retry-after': '0' } });
    await using volume = await open({ retries: 2 });
    const result = await volume.scatteredPoints(spreadPoints(100));
    expect(result.stats.requests).toBe(102);
  });

  test('gets the status missing_chunk, and no error, when it is not stored', async () => {
    bucket.faults.push({ match: new RegExp(key), status: 404 });
    await using volume = await open();
    const result = await volume.scatteredPoints(spreadPoints(100));
    expect([...result.rows()][1]).toEqual({
      index: 1,
      status: 'missing_chunk',
      supervoxelId: 0n,
      rootId: 0n,
      error: undefined,
    });
  });
});

describe('root requests that fail', () => {
  const cases: { name: string; fault: Omit<Fault, 'match'>; options?: OpenGrapheneOptions; cause: object }[] =
    [
      {
        name: 'a 500 with a traceback',
        fault: { status: 500, body: JSON.stringify({ code: 500, message: 'boom', traceback: ['File x'] }) },
        cause: { code: 'HTTP_STATUS', status: 500, message: expect.stringContaining('boom') },
      },
      {
        name: 'a log-in page behind a redirect',
        fault: { status: 302, headers: { location: '/login' } },
        cause: { code: 'LOGIN_REDIRECT', status: 302 },
      },
      {
        name: 'a web page',
        fault: { status: 200, body: '<html>hello</html>' },
        cause: { code: 'BAD_REPLY' },
      },
      {
        name: 'an empty answer',
        fault: { status: 200, body: '' },
        cause: { code: 'BAD_REPLY', message: expect.stringContaining('expected') },
      },
      {
        name: 'an endless answer',
        fault: { status: 200, body: new Uint8Array(1e6) },
        cause: { code: 'BAD_REPLY' },
      },
      {
        name: 'missing terms of service',
        fault: {
          status: 403,
          body: JSON.stringify({
            error: 'missing_tos',
            data: { tos_form_url: 'https://auth.example.org/tos/1' },
          }),
        },
        cause: { code: 'MISSING_TOS', message: expect.stringContaining('https://auth.example.org/tos/1') },
      },
    ];

  test.each(cases)(
    '($name) leave the supervoxels and the other batches',
    async ({ fault, options, cause }) => {
      graph.faults.push({ match: /roots_binary/, times: 1, ...fault });
      await using volume = await open({ rootBatchSize: 100, rootConcurrency: 1, ...options });
      const points = spreadPoints(800);
      const error = (await caught(volume.scatteredPoints(points))) as PartialResultError<PointsResult>;
      const first = error.result.supervoxelIds.slice().sort()[0];
      expect([...error.causes.keys()]).toEqual([`roots:${first}`]);
      expect(error.causes.get(`roots:${first}`)).toMatchObject({ name: 'GraphError', ...cause });
      const rows = [...error.result.rows()];
      expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['ok', 'root_failed']));
      for (const { status, supervoxelId, rootId, error } of rows) {
        expect(supervoxelId).toBeGreaterThan(0n);
        if (status === 'root_failed') expect([rootId, error?.name]).toEqual([0n, 'GraphError']);
        else expect(rootId).toBeGreaterThan(0n);
      }
      expect(everything(error)).not.toContain(TOKEN);
    },
  );

  test.each<{ name: string; fault: Omit<Fault, 'match'>; options?: OpenGrapheneOptions }>([
    { name: '413', fault: { status: 413 } },
    { name: '504', fault: { status: 504 } },
    { name: 'silence', fault: { stall: true }, options: { rootTimeoutMs: HOUR } },
    { name: 'a reset', fault: { reset: true } },
    { name: 'an answer cut off', fault: { truncate: 10 } },
  ])('($name) are repeated with half of the IDs, even with retries: 0', async ({ fault, options }) => {
    await using volume = await open({ rootConcurrency: 1, ...options });
    fakeTimeouts();
    const silent = (path: string): boolean => {
      const hit = /roots_binary/.test(path);
      if (hit && fault.stall) setImmediate(() => jest.advanceTimersByTime(HOUR));
      return hit;
    };
    graph.faults.push({ match: ({ path }) => silent(path), times: 2, ...fault });
    const points = spreadPoints(100);
    const { rootIds, status } = await volume.scatteredPoints(points);
    expect(new Set(status)).toEqual(new Set([PointStatus.ok]));
    expect(rootIds).toEqual((await volume.scatteredPoints(points)).rootIds);
    graph.faults.length = 0;
  });

  test('throw an error with the number of missing roots', async () => {
    graph.faults.push({ match: /roots_binary/, times: 1, status: 500 });
    await using volume = await open({ rootBatchSize: 60, rootConcurrency: 1 });
    await expect(volume.scatteredPoints(spreadPoints(100))).rejects.toMatchObject({
      message: expect.stringMatching(/^60 of 100 roots could not be looked up; the rest is in error.result/),
    });
  });

  test('of one caller do not affect another caller that shares the batch window', async () => {
    graph.faults.push({ match: /roots_binary/, times: 1, status: 500 });
    await using volume = await open({ rootBatchSize: 1, rootConcurrency: 1 });
    const [first, second] = [
      ...(await volume.scatteredPoints(spreadPoints(2), { agglomerate: false })).supervoxelIds,
    ].sort();
    const requested = await Promise.allSettled([volume.rootOf(first), volume.roots([second])]);
    expect(requested).toMatchObject([
      { status: 'rejected', reason: { code: 'ROOT_FAILED' } },
      { status: 'fulfilled', value: { status: Uint8Array.of(PointStatus.ok) } },
    ]);
  });

  test('name the source of the refused token, and not the token', async () => {
    await using volume = await open();
    graph.faults.push({
      match: /roots_binary/,
      status: 401,
      body: JSON.stringify({ error: 'invalid_token', message: `Bearer ${TOKEN} is invalid` }),
    });
    const error = await caught(volume.roots([1n << 56n]));
    expect(error.message).toContain('the token option');
    expect(everything(error)).not.toContain(TOKEN);
  });

  test('throw PointError ROOT_FAILED in calls for one value', async () => {
    graph.faults.push({ match: /roots_binary/, status: 500 });
    await using volume = await open();
    await expect(volume.rootAt([17, 8, 4])).rejects.toMatchObject({
      code: 'ROOT_FAILED',
      cause: expect.objectContaining({ code: 'HTTP_STATUS' }),
    });
  });
});

describe('tokens', () => {
  test('go to the graph server and not to the bucket', async () => {
    await using volume = await open();
    await volume.scatteredPoints(spreadPoints(10));
    expect(graph.log.requests.map(({ headers }) => headers.authorization)).toEqual(
      graph.log.requests.map(() => `Bearer ${TOKEN}`),
    );
    expect(bucket.log.requests.filter(({ headers }) => 'authorization' in headers)).toEqual([]);
  });

  test('of the bucket go to the bucket and not to the graph server', async () => {
    await using volume = await open({ storage: { token: 'bucket-token' } });
    await volume.scatteredPoints(spreadPoints(1));
    expect(bucket.log.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer bucket-token']);
    expect(graph.log.requests.filter(({ headers }) => headers.authorization !== `Bearer ${TOKEN}`)).toEqual(
      [],
    );
  });
});

describe('bucket credentials', () => {
  /** Opens a graph on nock whose server names a data_dir. */
  const opened = (dataDir: string, options: OpenGrapheneOptions = {}): Promise<unknown> => {
    nock('https://graph.example.org')
      .get('/segmentation/table/world/info')
      .reply(200, { ...GRAPH_INFO, data_dir: dataDir });
    return openGraphene('graphene://https://graph.example.org/segmentation/table/world', {
      token: null,
      storage: { token: 'bucket-token' },
      ...options,
    }).then((volume) => volume.close());
  };
  beforeAll(() => nock.activate());
  afterAll(() => (nock.cleanAll(), nock.restore()));

  test.each(['https://evil.example.com/x', 'http://graph.example.org/x', 'https://graph.example.org:8443/x'])(
    'are not sent to %s, which only the graph server names',
    async (dataDir) => {
      await expect(opened(dataDir)).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
        message: expect.stringContaining('dataDir'),
      });
    },
  );

  test.each(['gs://bucket/x', 's3://bucket/x', 'https://graph.example.org/x', 'precomputed://gs://bucket/x'])(
    'are sent to %s',
    async (dataDir) => expect(opened(dataDir)).resolves.toBeUndefined(),
  );

  test.each([
    'http://evil.example.com?@localhost/x',
    'http://evil.example.com\\@localhost/x',
    ' http://evil.example.com/x',
    '\thttp://evil.example.com/x',
    'http://10.0.0.1/x',
    'http://user:pw@evil.example.com/x',
  ])('are not sent over plain HTTP to %j', async (path) => {
    for (const storage of path.includes('user:')
      ? [undefined]
      : [{ token: 'bucket-token' }, { headers: { 'x-key': 'k' } }])
      await expect(openPrecomputed(path, { storage, retries: 0 })).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
      });
  });

  test.each([
    'https://127.0.0.1:1/x',
    'https://10.1.2.3/x',
    'https://localhost:1/x',
    'https://[::1]:1/x',
    'http://169.254.169.254/x',
  ])('are not sent, and nothing is read, when a public graph server names %s', async (dataDir) => {
    nock('https://graph.example.org')
      .get('/segmentation/table/world/info')
      .reply(200, { ...GRAPH_INFO, data_dir: dataDir });
    await using volume = await openGraphene('graphene://https://graph.example.org/segmentation/table/world', {
      token: null,
      retries: 0,
    });
    const result = await volume.scatteredPoints([[17, 8, 4]], { agglomerate: false, onError: 'status' });
    expect([...result.rows()]).toMatchObject([
      { status: 'failed', error: { cause: { name: 'PathError', code: 'FORBIDDEN_ADDRESS' } } },
    ]);
  });

  test('are not sent to a log-in that only the graph server names', async () => {
    for (const dataDir of [
      'middleauth+https://evil.example.com/x',
      'precomputed://middleauth+https://graph.example.org:8443/x',
    ])
      await expect(opened(dataDir, { storage: undefined, token: 'graph-token' })).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
        message: expect.stringContaining('dataDir'),
      });
    await expect(opened('middleauth+file:///etc', { storage: undefined })).rejects.toMatchObject({
      code: 'FORBIDDEN_ADDRESS',
    });
  });
  test("are the graph's token for a bucket behind the graph's log-in", async () => {
    nock('https://graph.example.org')
      .get('/segmentation/table/world/info')
      .reply(200, { ...GRAPH_INFO, data_dir: 'middleauth+https://graph.example.org/x' });
    nock('https://graph.example.org', { reqheaders: { authorization: 'Bearer graph-token' } })
      .get(/^\/x\//)
      .reply(404);
    await using volume = await openGraphene('graphene://https://graph.example.org/segmentation/table/world', {
      token: 'graph-token',
      retries: 0,
    });
    expect([...(await volume.scatteredPoints([[17, 8, 4]], { agglomerate: false })).status]).toEqual([
      PointStatus.missingChunk,
    ]);
  });
  test("are CAVE's token when the user opens a path behind CAVE's log-in", async () => {
    const before = process.env.CAVE_TOKEN;
    process.env.CAVE_TOKEN = 'cave-token';
    try {
      for (const [storage, token] of [
        [undefined, 'cave-token'],
        [{ token: 'bucket-token' }, 'bucket-token'],
      ] as const) {
        nock('https://host.example.org', { reqheaders: { authorization: `Bearer ${token}` } })
          .get('/v/info')
          .reply(200, tinyInfo(WORLD));
        await (
          await openPrecomputed('precomputed://middleauth+https://host.example.org/v', { storage })
        ).close();
      }
    } finally {
      if (before === undefined) delete process.env.CAVE_TOKEN;
      else process.env.CAVE_TOKEN = before;
    }
  });
  test.each<[object, RegExp]>([
    [{ tokn: 'x' }, /no option "tokn"/],
    [{ token: 'a b' }, /storage\.token/],
    [{ token: 't', credentials: 'anonymous' }, /storage.token cannot be combined with storage.credentials/],
    [{ token: 't', profile: 'p' }, /storage.token cannot be combined with storage.credentials/],
    [{ credentials: 'nobody' }, /credentials is/],
    [{ credentials: { accessKeyId: 'a' } }, /credentials is/],
    [{ credentials: null }, /credentials is/],
    [{ credentials: 'anonymous', requesterPays: true }, /cannot be combined with/],
    [{ requesterPays: 'a\r\nb' }, /requesterPays/],
    [{ region: '' }, /region/],
    [{ endpoint: 5 }, /endpoint/],
  ])('are refused: %j', async (storage, words) => {
    await expect(openPrecomputed('gs://bucket/v', { storage: storage as never })).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(words),
    });
  });

  test('appear in no error, in whatever way the server repeats them', async () => {
    const query = 'X-Sig=SECRET%2BSIG&y=1';
    const echoes = [
      query,
      query.replace('&', '&amp;'),
      decodeURIComponent(query),
      '<SignatureProvided>SECRET+SIG</SignatureProvided>',
      Buffer.from('SECRET+SIG').toString('base64'),
    ];
    nock('https://bucket.example.org').get('/v/info').query(true).reply(403, echoes.join(' '));
    const error = await caught(openPrecomputed(`https://bucket.example.org/v?${query}`, { retries: 0 }));
    expect(error).toMatchObject({ status: 403 });
    for (const secret of ['SECRET', 'U0VDUkVU']) expect(everything(error)).not.toContain(secret);
  });
});

describe('a public bucket that answers 403 for absent objects', () => {
  beforeAll(() => nock.activate());
  afterAll(() => (nock.cleanAll(), nock.restore()));

  test.each([
    { path: 'gs://bucket/v', origin: 'https://storage.googleapis.com', prefix: '/bucket/v' },
    { path: 's3://bucket/v', origin: 'https://bucket.s3.amazonaws.com', prefix: '/v' },
  ])(
    'gives the status missing_chunk at $path, and the stats count the 403',
    async ({ path, origin, prefix }) => {
      nock(origin)
        .get(`${prefix}/info`)
        .reply(200, tinyInfo(WORLD))
        .get(new RegExp(`^${prefix}/s0/`))
        .reply(403, 'AccessDenied');
      await using volume = await openPrecomputed(path, { retries: 0 });
      const { status, stats } = await volume.scatteredPoints([[17, 8, 4]]);
      expect([...status]).toEqual([PointStatus.missingChunk]);
      expect(stats.absentBy403).toBe(1);
    },
  );

  test('gives the status failed when the request had credentials', async () => {
    nock('https://storage.googleapis.com')
      .get('/bucket/v/info')
      .reply(200, tinyInfo(WORLD))
      .get(/s0/)
      .reply(403, 'AccessDenied');
    await using volume = await openPrecomputed('gs://bucket/v', { retries: 0, storage: { token: 't' } });
    expect([...(await volume.scatteredPoints([[17, 8, 4]], { onError: 'status' })).status]).toEqual([
      PointStatus.failed,
    ]);
  });
});

describe('an info that the graph server returns', () => {
  const openWith = async (info: object, options: OpenGrapheneOptions = {}) => {
    const said = worldGraph({ faults: [{ match: /info/, status: 200, body: JSON.stringify(info) }] });
    const mocks = await serveMocks({ '/segmentation': said, '/bucket': bucket });
    try {
      return await openGraphene(`graphene://${mocks.url}/segmentation/table/world`, {
        token: null,
        ...options,
      });
    } finally {
      await mocks.close();
    }
  };

  test.each(['file:///etc', '/etc', 'mem://x', 'ftp://x/y', 'precomputed://file:///etc'])(
    'may not have the data_dir %s',
    async (dataDir) => {
      await expect(openWith({ ...GRAPH_INFO, data_dir: dataDir })).rejects.toMatchObject({
        name: 'PathError',
        code: 'FORBIDDEN_ADDRESS',
        message: expect.stringContaining('dataDir'),
      });
    },
  );

  test("is overridden by the user's dataDir", async () => {
    await using volume = await openWith(
      { ...GRAPH_INFO, data_dir: 'file:///etc' },
      { dataDir: `${served.url}/bucket` },
    );
    const { supervoxelIds } = await volume.scatteredPoints([[17, 8, 4]], { agglomerate: false });
    expect(supervoxelIds[0]).toBe(WORLD.labelAt(17, 8, 4));
  });

  test.each([
    {
      name: 'a key that leaves the volume',
      info: { ...GRAPH_INFO, scales: [{ ...GRAPH_INFO.scales[0], key: '../secret' }] },
      error: { name: 'InfoError', code: 'UNSUPPORTED', message: expect.stringContaining('../secret') },
    },
    {
      name: 'no graph',
      info: { ...GRAPH_INFO, graph: undefined },
      error: { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('graph') },
    },
    {
      name: 'an image',
      info: { ...GRAPH_INFO, type: 'image' },
      error: { name: 'InfoError', code: 'BAD_INFO' },
    },
    {
      name: 'a cv_mip beyond its scales',
      info: { ...GRAPH_INFO, graph: { ...GRAPH_INFO.graph, cv_mip: 3 } },
      error: { name: 'InfoError', code: 'BAD_INFO' },
    },
    {
      name: 'no data_dir',
      info: { ...GRAPH_INFO, data_dir: undefined },
      error: { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('data_dir') },
    },
  ])('throws at opening for $name', async ({ info, error }) => {
    await expect(openWith(info)).rejects.toMatchObject(error);
  });
});

describe('openPrecomputed', () => {
  const openFiles = async (info: string | object, path = '/bucket') => {
    const text = typeof info === 'string' ? info : JSON.stringify(info);
    const mocks = await serveMocks({
      '/bucket': createMockBucket({ files: { info: new TextEncoder().encode(text) } }),
    });
    try {
      return await openPrecomputed(`precomputed://${mocks.url}${path}`, { retries: 0 });
    } finally {
      await mocks.close();
    }
  };

  test.each([
    { name: 'no info', path: '/nowhere', info: '{}', error: { name: 'InfoError', code: 'NOT_FOUND' } },
    {
      name: 'HTML instead of info',
      info: '<html><title>Log in</title></html>',
      error: { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('web page') },
    },
    {
      name: 'an info that does not describe a volume',
      info: { '@type': 'neuroglancer_annotations_v1' },
      error: { name: 'InfoError', code: 'BAD_INFO' },
    },
    { name: 'a list', info: '[1]', error: { name: 'InfoError', code: 'BAD_INFO' } },
  ])('throws a typed error for $name', async ({ info, path, error }) => {
    await expect(openFiles(info, path)).rejects.toMatchObject(error);
  });

  test('opens a volume with an unsupported encoding, and throws when it is read', async () => {
    const info = tinyInfo(WORLD);
    await using volume = await openFiles({ ...info, scales: [{ ...info.scales[0], encoding: 'npz' }] });
    await expect(volume.scatteredPoints([[17, 8, 4]])).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringContaining('npz'),
    });
  });

  test.each([
    { name: 'a bare point', points: [1, 2, 3], error: TypeError },
    { name: 'an unknown mip', points: [[1, 2, 3]], options: { mip: 7 }, error: RangeError },
    {
      name: 'a resolution of zeros',
      points: [[1, 2, 3]],
      options: { resolution: [0, 0, 0] },
      error: RangeError,
    },
    {
      name: 'an unknown value of onError',
      points: [[1, 2, 3]],
      options: { onError: 'ignore' },
      error: TypeError,
    },
    { name: 'an unknown option', points: [[1, 2, 3]], options: { resolutoin: [4, 4, 40] }, error: TypeError },
  ])('refuses $name', async ({ points, options, error }) => {
    await using volume = await openFiles(tinyInfo(WORLD));
    await expect(volume.scatteredPoints(points as number[][], options as object)).rejects.toThrow(error);
  });
});

describe('unknown options', () => {
  test.each([
    {
      name: 'roots',
      call: (volume: GrapheneVolume) => volume.roots([1n], { stop_layer: 2 } as object),
      meant: 'did you mean stopLayer?',
    },
    {
      name: 'scatteredPoints',
      call: (volume: GrapheneVolume) =>
        volume.scatteredPoints([[17, 8, 4]], { timeStamp: '2024-01-01' } as object),
      meant: 'did you mean timestamp?',
    },
    {
      name: 'a look-up with a string as agglomerate',
      call: (volume: GrapheneVolume) => volume.scatteredPoints([[17, 8, 4]], { agglomerate: 'no' } as object),
      meant: 'true or false',
    },
    { name: 'openGraphene', call: () => open({ lru_bytes: 1 } as object), meant: 'did you mean lruBytes?' },
  ])('are refused by $name', async ({ call, meant }) => {
    await using volume = await open();
    await expect(call(volume)).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(meant),
    });
  });
});

describe('a warning', () => {
  const told = async (
    lookUp: (volume: GrapheneVolume) => Promise<unknown>,
    options: OpenGrapheneOptions = {},
  ): Promise<string[]> => {
    const messages: string[] = [];
    await using volume = await open({ ...options, logger: { warn: (message) => messages.push(message) } });
    await lookUp(volume);
    return messages;
  };

  test('is logged when none of the chunks is stored', async () => {
    bucket.faults.push({ match: /s0/, status: 404 });
    const messages = await told((volume) =>
      volume.scatteredPoints(spreadPoints(200), { agglomerate: false }),
    );
    expect(messages).toEqual([
      expect.stringContaining(`none of the 100 chunks of these points is stored at ${served.url}/bucket/s0`),
    ]);
  });

  test('is logged for a timestamp in the future', async () => {
    const messages = await told((volume) =>
      volume.roots([supervoxel([0, 0, 0], 1)], { timestamp: '2099-01-01' }),
    );
    expect(messages).toEqual([expect.stringContaining('2099-01-01T00:00:00.000Z is in the future')]);
  });

  test('is an error for a dataDir that does not exist, and for a graph opened as a plain volume', async () => {
    await expect(open({ dataDir: '/no/such/folder' })).rejects.toMatchObject({
      name: 'PathError',
      message: expect.stringContaining('/no/such/folder does not exist'),
    });
    await expect(openPrecomputed('graphene://https://h.org/segmentation/table/t')).rejects.toMatchObject({
      name: 'PathError',
      message: expect.stringContaining('openGraphene'),
    });
  });
});

describe('abort', () => {
  test('rejects with the reason, and does not disturb another call that reads the same chunks', async () => {
    bucket.faults.push({ match: /s0/, delayMs: 20 });
    await using volume = await open();
    const controller = new AbortController();
    const [left, stayed] = [
      volume.scatteredPoints(spreadPoints(100), { signal: controller.signal }),
      volume.scatteredPoints(spreadPoints(100)),
    ];
    controller.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect((await stayed).rootIds[1]).toBe(rootOf(0, 1));
  });
});
