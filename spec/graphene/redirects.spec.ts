/** Infos that redirect to another path. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { memoryBucket, openGraphene, openPrecomputed } from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';
import { GRAPH_INFO, rootOf, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel, tinyFiles, tinyInfo, type TinyVolume } from '../../testing/tiny-volume.ts';

const volumeOf = (label: bigint): TinyVolume => ({
  size: [4, 4, 4],
  chunkSize: [4, 4, 4],
  voxelOffset: [0, 0, 0],
  labelAt: () => label,
});
const OLD = tinyFiles(volumeOf(7n)),
  NEW = tinyFiles(volumeOf(2n ** 60n + 1n));
const moved = (to: unknown, rest: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ ...rest, redirect: to }));

let folder: string, server: LoopbackServer, other: LoopbackServer, mocks: ServedMocks;
const files = new Map<string, Uint8Array>();
const graph = worldGraph(),
  bucket = worldBucket();
/** Answers by host and path. */
const put = (host: LoopbackServer, path: string, contents: Record<string, Uint8Array>): void =>
  Object.entries(contents).forEach(([key, bytes]) => files.set(`${host.origin}/${path}/${key}`, bytes));
const putFolder = async (name: string, contents: Record<string, Uint8Array>): Promise<string> => {
  for (const [key, bytes] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name, key)), { recursive: true });
    await writeFile(join(folder, name, key), bytes);
  }
  return join(folder, name);
};
const quiet = { retries: 0, logger: { warn: () => undefined } };

async function labelOf(path: string, options: object = {}): Promise<[bigint, readonly string[]]> {
  await using volume = await openPrecomputed(path, { ...quiet, ...options });
  return [(await volume.scatteredPoints([[1, 2, 3]])).values[0] as bigint, volume.redirects];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redirects-'));
  const host = (own: () => LoopbackServer) =>
    serve((request, response) => {
      const found = files.get(`${own().origin}${request.url}`);
      response.writeHead(found ? 200 : 404).end(found);
    });
  server = await host(() => server);
  other = await host(() => other);
  mocks = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
});
// The specs of a worker share Node's http, which nock has patched: restore it for the next file.
afterAll(() => nock.restore());
afterAll(() => Promise.all([server.close(), other.close(), mocks.close(), rm(folder, { recursive: true })]));

describe('a volume that redirects', () => {
  test('is read at the target, and lists its redirects', async () => {
    put(server, 'new', NEW);
    put(server, 'between', { info: moved(`precomputed://${server.origin}/new/`) });
    put(server, 'old', {
      ...OLD,
      info: moved(`${server.origin}/between|neuroglancer-precomputed:`, tinyInfo(volumeOf(7n))),
    });
    const ways = ['old', 'between', 'new'].map((name) => `${server.origin}/${name}`);
    expect(await labelOf(`${server.origin}/old`)).toEqual([2n ** 60n + 1n, ways]);
    expect(await labelOf(`${server.origin}/new`)).toEqual([2n ** 60n + 1n, []]);
  });

  test('has its redirects shown by info and doctor', async () => {
    const path = `${server.origin}/old`;
    expect((await runCli(['info', path])).stdout).toContain(
      `redirects: ${path} -> ${server.origin}/between -> ${server.origin}/new\n`,
    );
    expect(JSON.parse((await runCli(['info', '--json', path])).stdout)).toMatchObject({
      redirects: [path, `${server.origin}/between`, `${server.origin}/new`],
    });
    expect((await runCli(['doctor', path])).stdout).toMatch(new RegExp(`ok +redirect +${path} -> .*/new`));
  });

  test('may redirect from files to files, memory and servers', async () => {
    const at = await putFolder('new', NEW);
    Object.entries(NEW).forEach(([key, bytes]) => memoryBucket('moved').put(key, bytes));
    for (const [name, to] of [
      ['to-file', `file://${at}`],
      ['to-memory', 'mem://moved'],
      ['to-server', `${server.origin}/new`],
    ]) {
      const from = await putFolder(name, { info: moved(to) });
      expect((await labelOf(from))[0]).toBe(2n ** 60n + 1n);
    }
    memoryBucket('start').put('info', moved(`file://${at}`));
    expect((await labelOf('mem://start'))[0]).toBe(2n ** 60n + 1n);
  });

  test('caches its chunks for the target', async () => {
    put(server, 'kept', NEW);
    put(server, 'leads-there', { info: moved(`${server.origin}/kept`) });
    const cacheDir = join(folder, 'cache');
    await labelOf(`${server.origin}/leads-there`, { cacheDir });
    const before = server.requests.length;
    expect((await labelOf(`${server.origin}/kept`, { cacheDir }))[0]).toBe(2n ** 60n + 1n);
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual(['/kept/info']);
    // With another target it is another volume.
    put(server, 'third', tinyFiles(volumeOf(3n)));
    put(server, 'leads-there', { info: moved(`${server.origin}/third`) });
    expect((await labelOf(`${server.origin}/leads-there`, { cacheDir }))[0]).toBe(3n);
  });

  test.each([undefined, null, ''])('is the volume itself when redirect is %j', async (redirect) => {
    const at = await putFolder('stays', { ...OLD, info: moved(redirect, tinyInfo(volumeOf(7n))) });
    expect(await labelOf(at)).toEqual([7n, []]);
  });

  test('may redirect ten times, but not eleven times', async () => {
    put(server, 'hop0', NEW);
    for (let hop = 1; hop <= 11; hop++)
      put(server, `hop${hop}`, { info: moved(`${server.origin}/hop${hop - 1}`) });
    expect((await labelOf(`${server.origin}/hop10`))[0]).toBe(2n ** 60n + 1n);
    await expect(labelOf(`${server.origin}/hop11`)).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringMatching(/more than 10 infos redirect: .*hop11 -> .*hop10 -> .*hop0$/),
    });
  });

  test('in a circle is an error that names it', async () => {
    put(server, 'a', { info: moved(`${server.origin}/b/`) });
    put(server, 'b', { info: moved(`${server.origin}/a`) });
    await expect(labelOf(`${server.origin}/a`)).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringContaining(
        `in a circle: ${server.origin}/a -> ${server.origin}/b -> ${server.origin}/a`,
      ),
    });
  });

  test.each([
    ['../new', { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('not a whole path') }],
    [17, { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('redirect is not a path') }],
    [
      'file:///etc',
      { name: 'PathError', code: 'FORBIDDEN_ADDRESS', message: expect.stringContaining('local files') },
    ],
    ['precomputed://mem://moved', { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    ['s3+https://evil.example.org/b/v', { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    [
      'graphene://https://h.example.org/segmentation/table/t',
      { name: 'PathError', code: 'BAD_PATH', message: expect.stringContaining('is a chunkedgraph') },
    ],
    [
      'http://169.254.169.254/latest',
      { name: 'PathError', code: 'FORBIDDEN_ADDRESS', message: expect.stringContaining('link-local') },
    ],
    ['http://metadata.google.internal/x', { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    ['matrix://b/v', { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
  ])('is refused with a redirect to %j', async (to, error) => {
    put(server, 'refused', { info: moved(to) });
    await expect(labelOf(`${server.origin}/refused`)).rejects.toMatchObject(error);
  });

  test.each(['gs://bucket/v', 's3://bucket/v', 'https://public.example.org/v'])(
    'cannot redirect from %s to a private host, a file or memory',
    async (path) => {
      for (const to of [`${server.origin}/new`, 'http://10.0.0.1/v', 'file:///etc', 'mem://moved']) {
        const origin = path.startsWith('gs')
          ? 'https://storage.googleapis.com'
          : path.startsWith('s3')
            ? 'https://bucket.s3.amazonaws.com'
            : 'https://public.example.org';
        nock(origin)
          .get(/\/v\/info$/)
          .reply(200, moved(to));
        await expect(
          labelOf(path, { storage: { credentials: 'anonymous', region: undefined } }),
        ).rejects.toMatchObject({ name: 'PathError', code: 'FORBIDDEN_ADDRESS' });
      }
    },
  );

  test('sends headers and tokens to its own host only', async () => {
    put(server, 'own', { info: moved(`${server.origin}/new`) });
    put(server, 'away', { info: moved(`${other.origin}/new`) });
    put(server, 'to-bucket', { info: moved('gs://bucket/v') });
    const storage = { token: 'a-token-of-this-server' };
    const before = server.requests.length;
    expect((await labelOf(`${server.origin}/own`, { storage }))[0]).toBe(2n ** 60n + 1n);
    expect(new Set(server.requests.slice(before).map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${storage.token}`]),
    );
    for (const name of ['away', 'to-bucket'])
      await expect(labelOf(`${server.origin}/${name}`, { storage })).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
      });
    expect(other.requests).toEqual([]);
  });

  test('names the redirect in the error when the target does not exist', async () => {
    put(server, 'lost', { info: moved(`${server.origin}/nowhere`) });
    await expect(labelOf(`${server.origin}/lost`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`the info at ${server.origin}/lost redirects there`),
    });
  });

  test("cannot redirect out of the caller's own store", async () => {
    const storage = {
      url: 'mine://v',
      read: async () => ({ bytes: moved('gs://b/v'), contentEncoding: undefined }),
    };
    await expect(labelOf('', { storage })).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringContaining('gs://b/v'),
    });
  });
});

describe('a table that redirects', () => {
  const table = (name: string, host = server): string =>
    `graphene://${host.origin}/segmentation/table/${name}`;
  const target = (): string => `graphene://${mocks.url}/segmentation/table/world`;
  const putTable = (name: string, to: string): void =>
    put(server, `segmentation/table/${name}`, { info: moved(to, GRAPH_INFO) });

  test('is looked up at the target, and lists its redirects', async () => {
    putTable('old', table('between'));
    putTable('between', target());
    await using volume = await openGraphene(table('old'), { ...quiet, token: null });
    expect(
      (await volume.roots([supervoxel([0, 0, 0], 1)], { timestamp: '2024-02-01T00:00:00Z' })).rootIds[0],
    ).toBe(rootOf(0, 1));
    expect(volume.redirects).toEqual([table('old'), table('between'), target()]);
    expect((await runCli(['info', table('old')])).stdout).toContain(`redirects: ${table('old')} -> `);
    expect((await runCli(['doctor', table('old')])).stdout).toMatch(
      /ok +redirect +.*between.*\n.*\n.*\n.*redirects to .*world/,
    );
  });

  test('caches its roots for the target table', async () => {
    putTable('old', target());
    const cacheDir = join(folder, 'roots-cache'),
      open = (path: string) =>
        openGraphene(path, {
          ...quiet,
          token: null,
          cacheDir,
          rootCache: true,
          settleMs: 0,
          timestamp: '2024-02-01T00:00:00Z',
        });
    await using(await open(table('old')), (volume) => volume.roots([supervoxel([0, 0, 0], 1)]));
    const requested = () => graph.log.requests.filter(({ path }) => path.includes('roots_binary')).length;
    const before = requested();
    await using(await open(target()), async (volume) =>
      expect((await volume.roots([supervoxel([0, 0, 0], 1)])).rootIds[0]).toBe(rootOf(0, 1)),
    );
    expect(requested()).toBe(before);
  });

  test('in a circle is an error that names it', async () => {
    putTable('a', table('b'));
    putTable('b', table('a'));
    await expect(openGraphene(table('a'), { ...quiet, token: null })).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringMatching(/in a circle: .*\/a -> .*\/b -> .*\/a$/),
    });
  });

  test('sends its token to a table on its own host, and not to another host', async () => {
    putTable('old', target());
    await expect(
      openGraphene(table('old'), { ...quiet, token: 'a-token-of-this-host' }),
    ).rejects.toMatchObject({
      name: 'PathError',
      code: 'INSECURE_TOKEN',
      message: expect.stringContaining(target()),
    });
    putTable('here', table('there'));
    putTable('there', table('here'));
    const before = server.requests.length;
    await expect(
      openGraphene(table('here'), { ...quiet, token: 'a-token-of-this-host' }),
    ).rejects.toMatchObject({ code: 'BAD_INFO' });
    expect(server.requests.slice(before).map(({ path, headers }) => [path, headers.authorization])).toEqual(
      ['here', 'there'].map((name) => [`/segmentation/table/${name}/info`, 'Bearer a-token-of-this-host']),
    );
  });

  test.each(['gs://b/v', 'file:///etc', 'https://h.example.org/v'])(
    'is refused with a redirect to %s',
    async (to) => {
      putTable('plain', to);
      await expect(openGraphene(table('plain'), { ...quiet, token: null })).rejects.toMatchObject({
        name: 'InfoError',
        code: 'UNSUPPORTED',
        message: expect.stringContaining('not a chunkedgraph'),
      });
    },
  );

  async function using<V extends AsyncDisposable>(
    volume: V,
    work: (volume: V) => Promise<unknown>,
  ): Promise<void> {
    await using held = volume;
    await work(held);
  }
});

describe('a chunkedgraph without graphene://', () => {
  test('is an error that names the path to open', async () => {
    const url = `${mocks.url}/segmentation/table/world`;
    await expect(openPrecomputed(url, quiet)).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringContaining(`open graphene://${url} `),
    });
    await expect(openPrecomputed(`middleauth+${url}`, quiet)).rejects.toMatchObject({
      message: expect.stringContaining(`open graphene://middleauth+${url} `),
    });
    const { code, stderr } = await runCli(['doctor', url]).then(({ code, stdout }) => ({
      code,
      stderr: stdout,
    }));
    expect([code, stderr]).toEqual([1, expect.stringContaining(`graphene://${url}`)]);
  });
  test.each([
    ['graph.chunk_size', { graph: { chunk_size: [8, 8, 4] } }],
    ['app and data_dir', { app: {}, data_dir: 'gs://b/v' }],
  ])('is recognized by %s', async (_by, rest) => {
    const at = await putFolder('graph-info', {
      info: Buffer.from(JSON.stringify({ ...tinyInfo(volumeOf(1n)), ...rest })),
    });
    await expect(labelOf(at)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('graphene://https://HOST/segmentation/table/NAME'),
    });
  });
  test('is not assumed for an empty graph or a data_dir alone', async () => {
    const at = await putFolder('no-graph', {
      ...OLD,
      info: Buffer.from(JSON.stringify({ ...tinyInfo(volumeOf(7n)), graph: {}, data_dir: 'gs://b/v' })),
    });
    expect((await labelOf(at))[0]).toBe(7n);
  });
});

test('a word that is not a folder gets a hint about datastacks', async () => {
  await expect(openPrecomputed('minnie65_public', quiet)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('cave://minnie65_public'),
  });
  await expect(openPrecomputed('a/minnie65_public', quiet)).rejects.toMatchObject({
    message: expect.not.stringContaining('cave://'),
  });
});
test('an info may begin with a byte order mark', async () => {
  const at = await putFolder('bom', { ...OLD, info: Buffer.concat([Buffer.from('\ufeff'), OLD.info]) });
  expect((await labelOf(at))[0]).toBe(7n);
});
