/**
 * A volume that is opened from its description, sent as JSON, gives the same answers. The JSON contains no
 * secret.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  memoryBucket,
  openGraphene,
  openPrecomputed,
  resolveVolume,
  statusText,
  type GrapheneDescription,
  type OpenGrapheneOptions,
  type PrecomputedDescription,
  type VolumeDescription,
} from '../../../lib/index.ts';
import { mockCave, mockServer, serveMocks, writeFiles, type ServedMocks } from '../../../mocks/index.ts';
import {
  BEFORE,
  MERGED_AT,
  rootOf,
  spreadPoints,
  worldBucket,
  worldGraph,
  WORLD,
} from '../../../testing/graph-world.ts';
import { RESOLUTION, supervoxel, tinyFiles } from '../../../testing/tiny-volume.ts';
import { secretsFolder } from '../../support/clouds.ts';

nock.restore();

const SECRET = 'of-everybody-0123456789',
  BUCKET_SECRET = 'of-the-bucket-0123456789',
  HOME = {
    CLOUD_VOLUME_DIR: process.env.CLOUD_VOLUME_DIR,
    CAVE_TOKEN: process.env.CAVE_TOKEN,
    AWS_EC2_METADATA_DISABLED: process.env.AWS_EC2_METADATA_DISABLED,
  };
const about: Record<string, unknown> = {};
const cave = mockCave({
  datastack: 'world_v1',
  table: 'world',
  tokens: { [SECRET]: {} },
  versions: { 7: BEFORE, 943: MERGED_AT },
  datastackInfo: about,
});
const graph = worldGraph({ tokens: { [SECRET]: {} } }),
  bucket = worldBucket({ token: BUCKET_SECRET });
const logs = [cave['/info'].log, cave['/materialize'].log, graph.log, bucket.log];
let served: ServedMocks, folder: string;

beforeAll(async () => {
  served = await serveMocks({ ...cave, '/segmentation': graph, '/bucket': bucket });
});
afterAll(() => served.close());
beforeEach(() => {
  folder = secretsFolder({ 'cave-secret.json': { token: SECRET } });
  process.env.CLOUD_VOLUME_DIR = folder;
  delete process.env.CAVE_TOKEN;
  for (const name of Object.keys(about)) delete about[name];
  Object.assign(about, {
    segmentation_source: `graphene://${served.url}/segmentation/table/world`,
    local_server: served.url,
  });
  for (const log of logs) log.clear();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(HOME)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const storage = { token: BUCKET_SECRET };
/** Sends a description to another thread or machine. */
function sent<Description extends VolumeDescription>(description: Description): Description {
  const text = JSON.stringify(description);
  expect(text).not.toMatch(/0123456789/);
  const copy = JSON.parse(text) as Description;
  expect(copy).toEqual(description);
  return copy;
}
const path = (): string => `graphene://${served.url}/segmentation/table/world`;
const resolved = async (
  what: Parameters<typeof resolveVolume>[0],
  options: OpenGrapheneOptions = {},
): Promise<GrapheneDescription> =>
  sent((await resolveVolume(what, { storage, ...options })) as GrapheneDescription);
/** Points of the world, in units of a number of nanometres. */
const pointsIn = (nm: readonly number[]): Float64Array =>
  spreadPoints(300).map((value, k) => (value * RESOLUTION[k % 3]) / nm[k % 3]);
const requests = (): number[] => logs.map((log) => log.requests.length);

describe('a chunkedgraph, from its description', () => {
  test('gives the same answers, and sends one request to its server', async () => {
    const options: OpenGrapheneOptions = {
      server: served.url,
      timestamp: 'mat_7',
      resolution: 'viewer',
      retries: 1,
    };
    await using direct = await openGraphene('cave://world_v1', { ...options, storage });
    const description = await resolved('cave://world_v1', options);
    expect(description).toMatchObject({
      kind: 'graphene',
      path: 'cave://world_v1',
      graph: { path: path(), token: { host: served.url, from: join(folder, 'secrets/cave-secret.json') } },
      datastack: { name: 'world_v1', version: 7, viewerResolution: [4, 4, 40] },
      timestamp: Date.parse(BEFORE),
      bucket: { path: `${served.url}/bucket`, graphToken: false, wants: ['token'] },
      options: { retries: 1, resolution: [4, 4, 40] },
    });
    for (const log of logs) log.clear();
    await using volume = await openGraphene(description, { storage });
    expect(requests()).toEqual([0, 0, 1, 0]);
    const points = pointsIn([4, 4, 40]);
    const [ours, theirs] = await Promise.all([volume, direct].map((one) => one.scatteredPoints(points)));
    expect(ours.rootIds).toEqual(theirs.rootIds);
    expect(ours.supervoxelIds).toEqual(theirs.supervoxelIds);
    expect(ours.timestamp).toEqual(new Date(BEFORE));
    expect(ours.rootIds[0]).toBe(rootOf(0, 1));
    for (const name of ['info', 'type', 'dataType', 'resolution', 'redirects', 'scales'] as const)
      expect([name, volume[name as 'info']]).toEqual([name, direct[name as 'info']]);
    expect(await volume.datastack!.versions()).toEqual(await direct.datastack!.versions());
    expect(await volume.datastack!.timestampOf(943)).toEqual(new Date(MERGED_AT));
    expect({ ...volume.datastack, versions: 0, timestampOf: 0 }).toEqual({
      ...direct.datastack,
      versions: 0,
      timestampOf: 0,
    });
  });

  test('accepts options at opening, and refuses those that the description has settled', async () => {
    const description = await resolved(path(), {
      timestamp: BEFORE,
      lruBytes: 5,
      rootCache: { maxAgeMs: Infinity },
    });
    await using volume = await openGraphene(description, { storage, concurrency: 2, rootCache: false });
    expect([volume.rootCache, await volume.rootOf(supervoxel([0, 0, 0], 1))]).toEqual([
      undefined,
      rootOf(0, 1),
    ]);
    for (const settled of [
      { timestamp: BEFORE },
      { server: served.url },
      { mip: 0 },
      { dataDir: 'x' },
      { ocdbt: 'ignore' as const },
    ])
      await expect(openGraphene(description, { storage, ...settled })).rejects.toThrow(
        new TypeError(
          `${Object.keys(settled)[0]} is settled in the description of the volume: resolve its path again`,
        ),
      );
    await expect(openGraphene(description, { storage: { ...storage, region: 'x' } })).rejects.toThrow(
      new TypeError('storage.region is settled in the description of the volume: resolve its path again'),
    );
  });

  test('needs the credentials again, which the description does not contain', async () => {
    const description = await resolved(path(), { token: SECRET });
    expect(description.graph.token).toEqual({ host: served.url, from: 'the token option' });
    rmSync(join(folder, 'secrets/cave-secret.json'));
    const cases: [OpenGrapheneOptions, string][] = [
      [{ storage }, 'was resolved with the token option for '],
      [{ token: SECRET }, 'was resolved with storage.token, which its description does not contain'],
    ];
    for (const [options, message] of cases)
      await expect(openGraphene(description, options)).rejects.toMatchObject({
        name: 'CredentialsError',
        code: 'NOT_FOUND',
        message: expect.stringContaining(message),
      });
    await using volume = await openGraphene(description, { storage, token: SECRET });
    expect(volume.type).toBe('segmentation');
    await expect(openGraphene(description, { storage, token: 'another-0123456789' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });

  test('sends no token to the target of a redirect to another host', async () => {
    const open = await serveMocks({ '/segmentation': worldGraph(), '/bucket': worldBucket() });
    const moved = { redirect: `graphene://${open.url}/segmentation/table/world` };
    const old = await serveMocks({
      '/': mockServer(() => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(moved)) })),
    });
    try {
      const from = `graphene://${old.url}/segmentation/table/world`;
      const description = await resolved(from, { token: null, storage: undefined });
      expect(description).toMatchObject({
        redirects: [from, moved.redirect],
        graph: { path: moved.redirect, token: null },
      });
      await using volume = await openGraphene(description);
      expect(volume.redirects).toEqual([from, moved.redirect]);
      await expect(openGraphene(description, { token: SECRET })).rejects.toThrow(
        /^token: the volume was resolved without a token/,
      );
    } finally {
      await Promise.all([open.close(), old.close()]);
    }
  });

  test('sends a token only to the host that it was found for, whatever a description says', async () => {
    const description = await resolved(path(), { storage: undefined, dataDir: `${served.url}/bucket` }),
      elsewhere = {
        ...description.graph,
        path: 'graphene://https://elsewhere.example.org/segmentation/table/world',
      };
    const changed: Partial<GrapheneDescription>[] = [
      { graph: elsewhere },
      { bucket: { ...description.bucket, path: 'https://elsewhere.example.org/bucket', graphToken: true } },
    ];
    for (const change of changed)
      await expect(openGraphene({ ...description, ...change })).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
      });
  });

  test('is refused when the graph has changed since it was resolved', async () => {
    const description = await resolved(path()),
      { info } = description;
    const was = (change: object): GrapheneDescription => ({ ...description, info: { ...info, ...change } });
    for (const change of [
      { data_dir: 'gs://old/place' },
      { graph: { ...(info.graph as object), n_layers: 5 } },
    ])
      await expect(openGraphene(was(change), { storage })).rejects.toMatchObject({
        name: 'InfoError',
        code: 'CHANGED',
      });
    await (await openGraphene(was({ app: { supported_api_versions: [0] } }), { storage })).close();
  });

  test('throws the same errors for invalid materializations and an invalid viewer resolution', async () => {
    Object.assign(about, { local_server: 'ftp://x', viewer_resolution_x: 'wide' });
    const description = await resolved('cave://world_v1', { server: served.url });
    await using volume = await openGraphene(description, { storage });
    await using direct = await openGraphene('cave://world_v1', { server: served.url, storage });
    const said = (one: typeof volume): Promise<unknown> =>
      one.datastack!.versions().catch((error: Error) => [error.name, error.message]);
    expect(await said(volume)).toEqual(await said(direct));
    await expect(volume.scatteredPoints([[1, 2, 3]], { resolution: 'viewer' })).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
    });
  });

  test('is refused when its bucket does not exist here, instead of reporting missing chunks', async () => {
    const place = mkdtempSync(join(tmpdir(), 'watershed-'));
    writeFiles(place, tinyFiles(WORLD));
    const description = await resolved(path(), { dataDir: place, storage: undefined });
    await (await openGraphene(description)).close();
    rmSync(place, { recursive: true });
    await expect(openGraphene(description)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
    const inMemory = await resolved(path(), { dataDir: 'mem://nowhere-at-all/x', storage: undefined });
    await expect(openGraphene(inMemory)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
  });
});

describe('a Precomputed volume, from its description', () => {
  test('gives the same answers, and sends no request before it is read', async () => {
    const options = { storage, resolution: [2, 2, 20], lruBytes: 1e6 };
    const description = sent(
      (await resolveVolume(`${served.url}/bucket`, options)) as PrecomputedDescription,
    );
    await using direct = await openPrecomputed(`${served.url}/bucket`, options);
    bucket.log.clear();
    await using volume = await openPrecomputed(description, { storage });
    expect(bucket.log.requests).toEqual([]);
    const points = pointsIn([2, 2, 20]);
    expect((await volume.scatteredPoints(points)).values).toEqual(
      (await direct.scatteredPoints(points)).values,
    );
    expect(volume.info).toEqual(direct.info);
  });

  test('does not report chunks as missing that may not be read from here', async () => {
    const keys = { AWS_ACCESS_KEY_ID: BUCKET_SECRET, AWS_SECRET_ACCESS_KEY: 'of-aws-0123456789' };
    const closed = await serveMocks({ '/world-bucket': worldBucket({ token: BUCKET_SECRET, style: 's3' }) });
    writeFileSync(join(folder, 'secrets/aws-secret.json'), JSON.stringify(keys));
    try {
      const options = { storage: { endpoint: closed.url } };
      const description = sent((await resolveVolume('s3://world-bucket', options)) as PrecomputedDescription);
      expect(description.bucket.wants).toEqual([]);
      const statuses = async (): Promise<string[]> => {
        await using volume = await openPrecomputed(description);
        const { status } = await volume.scatteredPoints(spreadPoints(2), { onError: 'status' });
        return [...status].map(statusText);
      };
      expect(await statuses()).toEqual(['ok', 'ok']);
      rmSync(join(folder, 'secrets/aws-secret.json'));
      process.env.AWS_EC2_METADATA_DISABLED = 'true';
      expect(await statuses()).toEqual(['failed', 'failed']);
    } finally {
      await closed.close();
    }
  });

  test('needs the caller’s own store again', async () => {
    const files = tinyFiles(WORLD);
    const store = {
      url: 'own://',
      read: (key: string) => Promise.resolve(files[key] && { bytes: files[key], contentEncoding: undefined }),
    };
    const description = sent((await resolveVolume('anything', { storage: store })) as PrecomputedDescription);
    expect(description.bucket).toMatchObject({ path: '', wants: ['store'] });
    await expect(openPrecomputed(description)).rejects.toMatchObject({
      name: 'CredentialsError',
      code: 'NOT_FOUND',
    });
    await using volume = await openPrecomputed(description, { storage: store });
    expect((await volume.scatteredPoints(spreadPoints(1))).values[0]).not.toBe(0n);
  });

  test('is refused when it is in the memory of another process', async () => {
    const keeper = memoryBucket('described');
    for (const [key, file] of Object.entries(tinyFiles(WORLD))) keeper.put(key, file);
    const description = sent((await resolveVolume('mem://described')) as PrecomputedDescription);
    await (await openPrecomputed(description)).close();
    for (const key of keeper.keys()) keeper.delete(key);
    await expect(openPrecomputed(description)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
  });
});

describe('what cannot be described, or opened', () => {
  test.each(['http://user:a-password@HOST/bucket', 'http://HOST/bucket?signature=0123456789abcdef'])(
    '%s',
    async (secret) => {
      const open = await serveMocks({ '/bucket': worldBucket() });
      try {
        const at = secret.replace('HOST', new URL(open.url).host);
        await (await openPrecomputed(at)).close();
        await expect(resolveVolume(at)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
        await expect(resolveVolume(path(), { dataDir: at })).rejects.toMatchObject({
          name: 'PathError',
          code: 'BAD_PATH',
        });
      } finally {
        await open.close();
      }
    },
  );

  test('an info that contains a token', async () => {
    const repeating = await serveMocks({
      '/segmentation': worldGraph({
        info: { ...(await resolved(path())).info, note: `token ${SECRET}` } as never,
        tokens: { [SECRET]: {} },
      }),
      '/bucket': worldBucket(),
    });
    try {
      await expect(
        resolveVolume(`graphene://${repeating.url}/segmentation/table/world`),
      ).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
    } finally {
      await repeating.close();
    }
  });

  test('a description of another kind, of a later version, or changed by hand', async () => {
    const description = await resolved(path());
    const wrong: unknown[] = [
      { ...description, version: 2 },
      { ...description, kind: 'other' },
      { ...description, bucket: { ...description.bucket, allowAddress: undefined } },
      { ...description, graph: undefined },
      { kind: 'graphene' },
    ];
    for (const one of wrong)
      await expect(openGraphene(one as GrapheneDescription)).rejects.toMatchObject({
        name: 'PathError',
        code: 'BAD_PATH',
        message: expect.stringMatching(/^this version cannot read the description of the volume: /),
      });
    await expect(openPrecomputed(description as never)).rejects.toMatchObject({
      message: expect.stringContaining('use openGraphene'),
    });
    await expect(openGraphene({ ...description, options: { lruBites: 1 } } as never)).rejects.toThrow(
      TypeError,
    );
  });
});
