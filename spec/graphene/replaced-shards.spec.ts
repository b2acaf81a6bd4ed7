/**
 * Shards that are replaced in the bucket: over HTTP, with each kind of validator, with and without a disk
 * cache.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openPrecomputed, PointStatus, type OpenOptions, type PrecomputedVolume } from '../../lib/index.ts';
import {
  createMockBucket,
  serveMocks,
  type MockBucket,
  type MockBucketOptions,
  type ServedMocks,
} from '../../mocks/index.ts';
import { shardedFiles, type ShardedVolume } from '../support/sharded-volume.ts';

const SHARD = 's0/0.shard';

/**
 * Ten chunks in one shard. Each version lacks another chunk, so that chunk 5 lies at the old offset of chunk
 * 4, and so on.
 */
const versionOf = (
  lacks: number,
  stored = ([x]: readonly number[]): boolean => x !== lacks,
): Record<string, Uint8Array> => {
  const volume: ShardedVolume = {
    size: [20, 2, 2],
    chunkSize: [2, 2, 2],
    voxelOffset: [0, 0, 0],
    labelAt: (x) => BigInt(1000 + Math.floor(x / 2)),
    stored,
    sharding: {
      '@type': 'neuroglancer_uint64_sharded_v1',
      hash: 'identity',
      preshift_bits: 0,
      minishard_bits: 0,
      shard_bits: 0,
    },
  };
  return shardedFiles(volume);
};

let folder: string, served: ServedMocks | undefined;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-replaced-'))));
afterEach(() => served?.close());
afterAll(() => rm(folder, { recursive: true }));

const warnings: string[] = [];
async function serve(
  options: MockBucketOptions,
): Promise<{ bucket: MockBucket; open: (more?: OpenOptions) => Promise<PrecomputedVolume> }> {
  warnings.length = 0;
  const bucket = createMockBucket({ files: versionOf(3), ...options });
  served = await serveMocks({ '/bucket': bucket });
  const { url } = served;
  return {
    bucket,
    open: (more) =>
      openPrecomputed(`${url}/bucket`, {
        logger: { warn: (message) => void warnings.push(message) },
        resolution: [8, 8, 40],
        ...more,
      }),
  };
}

async function expectRight(volume: PrecomputedVolume, chunks: readonly number[]): Promise<void> {
  const { values, status } = await volume.scatteredPoints(chunks.map((chunk) => [2 * chunk, 1, 1]));
  expect([[...status], [...values]]).toEqual([
    chunks.map(() => PointStatus.ok),
    chunks.map((chunk) => BigInt(1000 + chunk)),
  ]);
}

const ranges = (bucket: MockBucket): number =>
  bucket.log.requests.filter(({ path }) => path.includes(SHARD)).length;

describe.each<MockBucketOptions>([{ style: 'gs' }, { style: 's3' }, { versions: 'last-modified' }])(
  'of a bucket with %j',
  (options) => {
    test('are noticed between two calls, with indices in memory', async () => {
      const { bucket, open } = await serve(options);
      await using volume = await open();
      await expectRight(volume, [2]);
      bucket.put(SHARD, versionOf(0)[SHARD]);
      await expectRight(volume, [4]);
      await expectRight(volume, [8]);
      expect(warnings).toEqual([]);
    });

    test.each(['never', 'info', 'always'] as const)(
      'are noticed with the cached indices of another process, revalidate: %s',
      async (revalidate) => {
        const { bucket, open } = await serve(options),
          cacheDir = join(folder, `${JSON.stringify(options)}-${revalidate}`.replaceAll(/\W/g, ''));
        {
          await using volume = await open({ cacheDir, revalidate });
          await expectRight(volume, [2]);
        }
        bucket.put(SHARD, versionOf(0)[SHARD]);
        for (const chunks of [[4], [8, 9]]) {
          await using volume = await open({ cacheDir, revalidate });
          await expectRight(volume, chunks);
        }
      },
    );

    test('never cause a request with If-Range', async () => {
      const { bucket, open } = await serve(options);
      await using volume = await open();
      await expectRight(volume, [2, 4]);
      bucket.put(SHARD, versionOf(0)[SHARD]);
      await expectRight(volume, [5]);
      expect(bucket.log.requests.filter(({ headers }) => 'if-range' in headers)).toHaveLength(0);
    });
  },
);

test('ETags that change with each reply do no harm, and cause one warning', async () => {
  const { bucket, open } = await serve({ versions: 'changing' });
  await using volume = await open();
  for (const chunks of [[2], [4, 8], [5], [6, 7, 9]]) await expectRight(volume, chunks);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^http.*\/s0\/0\.shard.*: the server sends the same bytes with changing ETags or dates/,
    ),
  ]);
  const before = ranges(bucket);
  await expectRight(volume, [2]);
  expect(ranges(bucket)).toBe(before + 1);
});

test('without a validator nothing is compared, and no extra request is sent', async () => {
  const { bucket, open } = await serve({ versions: 'none' });
  await using volume = await open();
  await expectRight(volume, [2]);
  expect(ranges(bucket)).toBe(3);
  await expectRight(volume, [4]);
  expect(ranges(bucket)).toBe(4);
  // A shorter shard is noticed by its size.
  bucket.put(SHARD, versionOf(-1, ([x]) => x === 9)[SHARD]);
  await expectRight(volume, [9]);
  expect(warnings).toEqual([]);
});
