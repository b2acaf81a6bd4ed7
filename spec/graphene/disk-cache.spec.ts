/** `cacheDir` through the SDK: which requests go to the bucket, and which do not. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { cacheStats, clearCache } from '../../lib/cache/cache-maintenance.ts';
import { ChunkDiskCache } from '../../lib/chunks/chunk-disk-cache.ts';
import { openPrecomputed } from '../../lib/graphene/open-and-resolve.ts';
import type { OpenOptions } from '../../lib/graphene/option-types.ts';
import {
  buildPrecomputed,
  createMockBucket,
  serveMocks,
  type MockRequest,
  type MockResponse,
  type ServedMocks,
} from '../../mocks/index.ts';
import { fixtureVolumes, loadFixture, VOLUMES_FOLDER } from '../../testing/fixtures.ts';

let cacheDir: string;
let served: ServedMocks | undefined;
beforeEach(async () => void (cacheDir = await mkdtemp(join(tmpdir(), 'gp-cache-'))));
afterEach(async () => {
  await served?.close();
  served = undefined;
  await rm(cacheDir, { recursive: true, force: true });
});

/** A proxy in front of a bucket, which may change requests and replies. */
type Manner = (
  request: MockRequest,
  answer: (request: MockRequest) => Promise<MockResponse>,
) => Promise<MockResponse>;

/** Serves a fixture. `readAgain` opens a new volume each time, as another process would. */
async function serve(
  name: string,
  files: Record<string, Uint8Array> = {},
  manner: Manner = (request, answer) => answer(request),
) {
  const bucket = createMockBucket({ folder: join(VOLUMES_FOLDER, name), files });
  served = await serveMocks({
    '/bucket': { ...bucket, handle: (request) => manner(request, (changed) => bucket.handle(changed)) },
  });
  const { points } = loadFixture(name).scales[0];
  const path = `${served.url}/bucket`;
  return {
    bucket,
    files,
    points,
    path,
    readAgain: async (options: Partial<OpenOptions> = {}, query = '') => {
      bucket.log.requests.length = 0;
      await using volume = await openPrecomputed(path + query, {
        cacheDir,
        retries: 0,
        logger: { warn: () => undefined },
        ...options,
      });
      const { values, status, stats } = await volume.scatteredPoints(points, { onError: 'status' });
      return {
        values,
        status,
        stats,
        requestedPaths: bucket.log.requests.map(({ path }) => path).filter((path) => !path.endsWith('/info')),
      };
    },
  };
}

async function packFiles(): Promise<string[]> {
  const root = join(cacheDir, 'chunks-v3', 'packs');
  return (await readdir(root)).map((name) => join(root, name));
}

describe('cacheDir', () => {
  const volumes = fixtureVolumes({
    encodings: ['raw', 'compressed_segmentation', 'crackle', 'compresso'],
    prefix: ['seg_raw', 'seg_cseg_u64_gzip', 'seg_crackle_u64_gzip', 'seg_compresso', 'img_raw', 'shard_'],
  });
  test.each(volumes.map(({ name }) => name))(
    'answers %s from disk as from the bucket, without a request for a chunk',
    async (name) => {
      const { readAgain } = await serve(name);
      const plain = await readAgain({ cacheDir: undefined });
      const cold = await readAgain(),
        warm = await readAgain();
      for (const { values, status } of [cold, warm])
        expect([values, status]).toEqual([plain.values, plain.status]);
      expect(cold.requestedPaths.length).toBeGreaterThan(0);
      expect(cold.stats.cacheHits).toBe(0);
      expect(warm.requestedPaths).toEqual([]);
      expect(warm.stats).toMatchObject({ requests: 0, bytes: 0, cacheHits: warm.stats.chunks });
    },
  );

  test.each([['same'], ['compressed_segmentation']] as const)(
    'works together with the memory cache (%s)',
    async (lruEncoding) => {
      const { readAgain, points, bucket, path } = await serve('seg_raw_u64_gzip');
      const plain = await readAgain({ cacheDir: undefined });
      for (const round of ['cold', 'from disk']) {
        bucket.log.requests.length = 0;
        await using volume = await openPrecomputed(path, { cacheDir, lruBytes: 10e6, lruEncoding });
        for (const where of [round, 'from memory'])
          expect([where, (await volume.scatteredPoints(points)).values]).toEqual([where, plain.values]);
        expect(bucket.log.requests.filter(({ path }) => !path.endsWith('/info')).length > 0).toBe(
          round === 'cold',
        );
      }
    },
  );

  test('does not use the entries of another reader', async () => {
    const { readAgain } = await serve('seg_cseg_u64_gzip');
    const first = await readAgain({ storage: { token: 's3cr3t-one' } });
    for (const storage of [{ token: 's3cr3t-two' }, { headers: { 'x-key': 's3cr3t-one' } }, undefined])
      expect((await readAgain({ storage })).requestedPaths.sort()).toEqual([...first.requestedPaths].sort());
    expect((await readAgain({ storage: { token: 's3cr3t-one' } })).requestedPaths).toEqual([]);
    for (const file of await packFiles()) expect((await readFile(file)).includes('s3cr3t')).toBe(false);
  });

  test('does not use entries of another query, which may name another version or be a signature', async () => {
    const { readAgain } = await serve('seg_cseg_u64_gzip');
    for (const query of ['?v=s3cr3t', '?v=2', '']) {
      expect((await readAgain({}, query)).requestedPaths.length).toBeGreaterThan(0);
      expect((await readAgain({}, query)).requestedPaths).toEqual([]);
    }
    for (const file of await packFiles()) expect((await readFile(file)).includes('s3cr3t')).toBe(false);
  });

  test('does not use entries of another log-in', async () => {
    const { readAgain, path, bucket, points } = await serve('seg_cseg_u64_gzip');
    const first = await readAgain({ storage: { token: 'one' } });
    const { CAVE_TOKEN } = process.env;
    try {
      for (const [token, fresh] of [
        ['one', false],
        ['two', true],
        ['two', false],
      ] as const) {
        process.env.CAVE_TOKEN = token;
        bucket.log.requests.length = 0;
        await using volume = await openPrecomputed(`middleauth+${path}`, { cacheDir });
        await volume.scatteredPoints(points);
        expect([token, bucket.log.requests.filter(({ path }) => !path.endsWith('/info')).length]).toEqual([
          token,
          fresh ? first.requestedPaths.length : 0,
        ]);
      }
    } finally {
      if (CAVE_TOKEN === undefined) delete process.env.CAVE_TOKEN;
      else process.env.CAVE_TOKEN = CAVE_TOKEN;
    }
  });

  test('reads nothing more from disk when no call waits for it', async () => {
    const { readAgain, path, points } = await serve('shard_cseg_u64_murmur');
    await readAgain();
    const read = jest.spyOn(ChunkDiskCache.prototype, 'get');
    try {
      await using volume = await openPrecomputed(path, { cacheDir });
      const abort = new AbortController();
      read.mockImplementation(async () => {
        abort.abort(new Error('enough'));
        return undefined;
      });
      await expect(volume.scatteredPoints(points, { signal: abort.signal })).rejects.toThrow('enough');
      await volume.close();
      const shards = new Set((await readAgain({ cacheDir: undefined })).requestedPaths).size;
      expect(read.mock.calls.length).toBeLessThanOrEqual(8 * shards); // those in flight
    } finally {
      read.mockRestore();
    }
  });

  test('ignores a damaged entry', async () => {
    const { readAgain } = await serve('seg_cseg_u64_gzip');
    const cold = await readAgain();
    const packs = new Map<string, Buffer>();
    for (const file of await packFiles()) packs.set(file, await readFile(file));
    let entries = 0;
    for await (const { file, offset, length } of new CacheFolder(cacheDir, 1).index.entries()) {
      packs.get(file)![offset + length - 1] ^= 1;
      entries++;
    }
    expect(entries).toBe(cold.stats.chunks);
    for (const [file, bytes] of packs) await writeFile(file, bytes);
    const again = await readAgain();
    expect([again.values, [...again.requestedPaths].sort()]).toEqual([
      cold.values,
      [...cold.requestedPaths].sort(),
    ]);
    expect((await readAgain()).requestedPaths).toEqual([]);
  });

  test('keeps compressed raw chunks as they were stored, and labels without compression as runs', async () => {
    const size = [64, 64, 8] as [number, number, number],
      rawBytes = 8 * 64 * 64 * 8;
    const keptBytes = async (
      bitstream: 'gzip' | 'none',
      labels: (x: number, y: number, z: number) => bigint,
    ): Promise<number> => {
      const built = buildPrecomputed({ size, chunkSize: size, encoding: 'raw', bitstream, labels });
      served = await serveMocks({ '/bucket': createMockBucket({ files: built.files }) });
      const { url } = served;
      for (const [round, requests] of [
        ['cold', 1],
        ['from disk', 0],
      ]) {
        await using volume = await openPrecomputed(`${url}/bucket`, { cacheDir });
        const { values, stats } = await volume.scatteredPoints([
          [5, 6, 7],
          [63, 0, 3],
        ]);
        expect([round, [...values], stats.requests]).toEqual([
          round,
          [built.valueAt([5, 6, 7]), built.valueAt([63, 0, 3])],
          requests,
        ]);
      }
      await served.close();
      served = undefined;
      const { bytes } = await cacheStats(cacheDir);
      await rm(cacheDir, { recursive: true });
      return bytes;
    };
    const steps = (x: number, y: number, z: number): bigint => 2n ** 60n + BigInt((x >> 4) + y + z);
    expect(await keptBytes('none', steps)).toBeLessThan(rawBytes / 8);
    expect(await keptBytes('gzip', steps)).toBeLessThan(rawBytes / 8);
    // Every voxel differs from its neighbours: gzip finds the pattern, and runs do not.
    const pattern = (x: number, y: number): bigint => BigInt((x + y) % 2) + 1n;
    expect(await keptBytes('gzip', pattern)).toBeLessThan(rawBytes / 8);
    expect(await keptBytes('none', pattern)).toBeGreaterThan(rawBytes - 1);
  });

  test('deletes the folder of earlier versions, and reads nothing from it', async () => {
    const { readAgain } = await serve('seg_cseg_u64_gzip');
    await mkdir(join(cacheDir, 'chunks-v1', 'ab'), { recursive: true });
    await writeFile(join(cacheDir, 'chunks-v1', 'ab', 'old'), 'old');
    await readAgain();
    await clearCache(cacheDir);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  test('does not keep a chunk that could not be read or decoded', async () => {
    const { readAgain, bucket } = await serve('seg_cseg_u64_gzip');
    bucket.faults.push({ match: /\d+-\d+_/, status: 500 });
    expect(new Set((await readAgain()).status)).toEqual(new Set([8, 3]));
    bucket.faults.length = 0;
    bucket.faults.push({ match: /\d+-\d+_/, body: new Uint8Array(64).fill(255) });
    expect((await readAgain()).status).toContain(8);
    bucket.faults.length = 0;
    expect((await cacheStats(cacheDir)).entries).toBe(0);
    const good = await readAgain();
    expect([good.requestedPaths.length, good.values]).toEqual([
      good.stats.chunks,
      (await readAgain({ cacheDir: undefined })).values,
    ]);
  });

  test('remembers for ten minutes that a chunk is not stored', async () => {
    const { readAgain, bucket } = await serve('seg_cseg_u64_gzip');
    bucket.faults.push({ match: /\d+-\d+_/, status: 404 });
    const absent = await readAgain();
    bucket.faults.length = 0;
    expect(await readAgain()).toMatchObject({ requestedPaths: [], status: absent.status });
    expect((await readAgain({ revalidate: 'always' })).requestedPaths.length).toBe(absent.stats.chunks);
    // A clock that was set back says nothing about the age.
    for (const laterMs of [600_001, -700_000]) {
      await rm(cacheDir, { recursive: true });
      bucket.faults.push({ match: /\d+-\d+_/, status: 404 });
      await readAgain();
      bucket.faults.length = 0;
      const now = Date.now() + laterMs;
      jest.spyOn(Date, 'now').mockImplementation(() => now);
      try {
        expect((await readAgain()).requestedPaths.length).toBe(absent.stats.chunks);
      } finally {
        jest.restoreAllMocks();
      }
    }
  });

  test.each([['info'], ['always']] as const)(
    'never reads a shard by the index of an earlier version, revalidate: %s',
    async (revalidate) => {
      const size = [64, 64, 8] as [number, number, number];
      const version = (step: bigint) =>
        buildPrecomputed({
          size,
          chunkSize: [16, 16, 8],
          encoding: 'compressed_segmentation',
          sharding: { preshift_bits: 9, minishard_bits: 2, shard_bits: 0 },
          labels: (x, y, z) => step * BigInt(1 + ((x * Number(step) + y * 3) >> 1) + z),
        });
      const one = version(1n),
        two = version(7n);
      expect(two.info).toEqual(one.info);
      const bucket = createMockBucket({ files: { ...one.files } });
      served = await serveMocks({ '/bucket': bucket });
      const at = async (points: number[][]) => {
        await using volume = await openPrecomputed(`${served!.url}/bucket`, { cacheDir, revalidate });
        return [...(await volume.scatteredPoints(points)).values];
      };
      expect(await at([[1, 2, 3]])).toEqual([one.valueAt([1, 2, 3])]);
      for (const [key, { bytes }] of Object.entries(two.files)) bucket.put(key, bytes);
      const elsewhere = [
        [17, 2, 3],
        [40, 50, 7],
        [63, 63, 0],
        [33, 20, 1],
      ];
      expect(await at(elsewhere)).toEqual(
        elsewhere.map((point) => two.valueAt(point as [number, number, number])),
      );
      expect(await at([[1, 2, 3]])).toEqual([(revalidate === 'info' ? one : two).valueAt([1, 2, 3])]);
    },
  );

  describe('revalidate', () => {
    const changed = async (name: string, files: Record<string, Uint8Array>): Promise<void> => {
      const info = JSON.parse(await readFile(join(VOLUMES_FOLDER, name, 'info'), 'utf8')) as {
        scales: { voxel_offset?: number[]; note?: string }[];
      };
      info.scales[0].note = 'changed';
      files.info = Buffer.from(JSON.stringify(info));
    };

    test.each([
      ['info', true],
      ['never', false],
    ] as const)('%s: reads a volume whose info has changed again: %p', async (revalidate, again) => {
      const { readAgain, files } = await serve('seg_cseg_u64_gzip');
      await readAgain({ revalidate });
      await changed('seg_cseg_u64_gzip', files);
      expect((await readAgain({ revalidate })).requestedPaths.length > 0).toBe(again);
    });

    const settings = ['never', 'info', 'always'] as const;
    test.each(settings.flatMap((first) => settings.map((second) => [first, second] as const)))(
      'uses what was stored under %s with %s',
      async (first, second) => {
        const { readAgain } = await serve('seg_raw_u64_gzip');
        const cold = await readAgain({ revalidate: first }),
          warm = await readAgain({ revalidate: second });
        expect([warm.values, warm.stats.cacheHits, warm.stats.bytes]).toEqual([
          cold.values,
          cold.stats.chunks,
          0,
        ]);
        if (second !== 'always') expect(warm.requestedPaths).toEqual([]);
      },
    );

    test.each(['seg_cseg_u64_gzip', 'shard_cseg_u64_murmur'])(
      'always: asks of each object whether it is the same, %s',
      async (name) => {
        const { readAgain, bucket } = await serve(name);
        const cold = await readAgain({ revalidate: 'always' });
        const warm = await readAgain({ revalidate: 'always' });
        expect(warm.values).toEqual(cold.values);
        expect(warm.stats.bytes).toBe(0);
        expect(warm.requestedPaths.length).toBeLessThanOrEqual(cold.requestedPaths.length);
        expect(
          bucket.log.requests.filter(({ path }) => !path.endsWith('/info')).map(({ status }) => status),
        ).toEqual(warm.requestedPaths.map(() => 304));
      },
    );

    test('always: reads an object that has changed again', async () => {
      const { readAgain, files } = await serve('seg_raw_u64_gzip');
      const cold = await readAgain({ revalidate: 'always' });
      const key = cold.requestedPaths[0].slice(1);
      files[key] = new Uint8Array(
        8 * loadFixture('seg_raw_u64_gzip').info.scales[0].chunk_sizes[0].reduce((a, b) => a * b),
      ); // all background
      const again = await readAgain({ revalidate: 'always' });
      expect(again.requestedPaths.filter((path) => path === cold.requestedPaths[0])).toHaveLength(2);
      expect(again.values).not.toEqual(cold.values);
    });
  });

  test("never: reads chunks again when the volume's encoding has changed", async () => {
    const { readAgain, files } = await serve('seg_cseg_u64_gzip');
    await readAgain({ revalidate: 'never' });
    const info = JSON.parse(await readFile(join(VOLUMES_FOLDER, 'seg_cseg_u64_gzip', 'info'), 'utf8')) as {
      scales: Record<string, unknown>[];
    };
    info.scales[0].compressed_segmentation_block_size = [4, 4, 4];
    files.info = Buffer.from(JSON.stringify(info));
    expect((await readAgain({ revalidate: 'never' })).requestedPaths.length).toBeGreaterThan(0);
  });

  const without = ({ headers, ...request }: MockRequest, ...names: string[]): MockRequest => ({
    ...request,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))),
  });
  const isChunk = ({ path }: MockRequest): boolean => !path.endsWith('/info');
  const asks = (request: MockRequest): boolean => request.headers['if-none-match'] !== undefined;
  const oddServers: [string, boolean, Manner][] = [
    [
      'whose ETags are weak',
      true,
      async (request, answer) => {
        const { headers, ...reply } = await answer(request);
        return {
          ...reply,
          headers: { ...headers, ...(headers.etag !== undefined && { etag: `W/${headers.etag}` }) },
        };
      },
    ],
    [
      'without ETags',
      false,
      async (request, answer) => {
        const { headers, ...reply } = await answer(request);
        return {
          ...reply,
          headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'etag')),
        };
      },
    ],
    ['that ignores conditions', false, (request, answer) => answer(without(request, 'if-none-match'))],
    [
      'that ignores conditions and ranges',
      false,
      (request, answer) => answer(without(request, 'if-none-match', 'range')),
    ],
    [
      'that answers 412 to a condition',
      false,
      async (request, answer) =>
        asks(request) ? { status: 412, headers: {}, body: new Uint8Array(0) } : answer(request),
    ],
    [
      'that answers 416, as for an empty object',
      false,
      async (request, answer) =>
        asks(request) ? { status: 416, headers: {}, body: new Uint8Array(0) } : answer(request),
    ],
    [
      'that answers a condition with the whole of a large object',
      false,
      async (request, answer) =>
        asks(request) ? { status: 200, headers: {}, body: new Uint8Array(1e6) } : answer(request),
    ],
    [
      'that redirects to another host',
      true,
      async (request, answer) =>
        isChunk(request) && request.headers.host.startsWith('127.0.0.1')
          ? {
              status: 302,
              headers: {
                location: `http://${request.headers.host.replace('127.0.0.1', 'localhost')}/bucket${request.path}`,
              },
              body: new Uint8Array(0),
            }
          : answer(request),
    ],
  ];
  test.each(oddServers)(
    'always: of a server %s the answers are right; nothing is read twice: %p',
    async (_, unchanged, manner) => {
      const { readAgain, files } = await serve('seg_cseg_u64_gzip', {}, manner);
      const plain = await readAgain({ cacheDir: undefined });
      for (const round of [1, 2])
        expect([round, (await readAgain({ revalidate: 'always' })).values]).toEqual([round, plain.values]);
      const third = await readAgain({ revalidate: 'always' });
      expect([third.stats.cacheHits, third.stats.bytes === 0]).toEqual([
        unchanged ? third.stats.chunks : 0,
        unchanged,
      ]);
      expect(third.stats.bytes).toBeLessThan(2 * plain.stats.bytes + third.stats.chunks * 65_536);
      // a new version: the bytes of a neighbour chunk
      const [one, other] = plain.requestedPaths.map((path) => path.slice(1));
      files[`${one}.gz`] = await readFile(join(VOLUMES_FOLDER, 'seg_cseg_u64_gzip', `${other}.gz`));
      const changed = await readAgain({ revalidate: 'always' });
      expect(changed.values).toEqual((await readAgain({ cacheDir: undefined })).values);
    },
  );

  test.each([
    [{ cacheDir: '' }, /^cacheDir is the path of a folder/],
    [{ cacheDir: 5 as never }, /^cacheDir/],
    [{ revalidate: 'sometimes' as 'info' }, /^revalidate is 'never', 'info' or 'always', not "sometimes"$/],
    [{ cacheBytes: 0 }, /^cacheBytes/],
  ])('refuses %j', async (options, message) => {
    await expect(openPrecomputed('https://example.org', options)).rejects.toThrow(message);
  });
});

describe('a store of the caller', () => {
  const { files } = buildPrecomputed({ labels: () => 7n, size: [8, 8, 8], chunkSize: [8, 8, 8] });
  const requestsOf = async (identity?: () => Promise<unknown>): Promise<string[]> => {
    const keys: string[] = [];
    const storage = {
      url: 'own://store',
      read: async (key: string) => (
        keys.push(key),
        files[key] && { bytes: files[key].bytes, contentEncoding: files[key].contentEncoding }
      ),
      ...(identity && { identity }),
    };
    await using volume = await openPrecomputed('own', {
      storage,
      cacheDir,
      logger: { warn: () => undefined },
    });
    expect([...(await volume.scatteredPoints([[1, 1, 1]])).values]).toEqual([7n]);
    return keys.filter((key) => key !== 'info');
  };

  test('is cached if it has an identity, and only for the same identity', async () => {
    const one = async (): Promise<unknown> => ['reader', 1];
    expect(await requestsOf(one)).toHaveLength(1);
    expect(await requestsOf(one)).toEqual([]);
    expect(await requestsOf(async () => ['reader', 2])).toHaveLength(1);
  });

  test('is not cached without an identity', async () => {
    expect(await requestsOf()).toHaveLength(1);
    expect(await requestsOf()).toHaveLength(1);
  });
});
