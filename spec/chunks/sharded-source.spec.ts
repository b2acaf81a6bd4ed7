/** Point reads from sharded scales: the requests, the answers, and which points fail. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { RequestError, type DecodeError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { ChunkReader } from '../../lib/chunks/chunk-reader.ts';
import { ShardIndexCache } from '../../lib/chunks/shard-indices.ts';
import { MAX_WHOLE_SHARD_BYTES } from '../../lib/chunks/shard-file.ts';
import { ShardedSource } from '../../lib/chunks/sharded-source.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { errorOfPoint } from '../support/error-of-point.ts';
import type { PointValues } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { cellSize } from '../../lib/precomputed/grid.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { parseSharding } from '../../lib/precomputed/sharding.ts';
import type { ByteRange } from '../../lib/storage/store.ts';
import { naiveMorton } from '../precomputed/sharding-naive.ts';
import { seeded } from '../../testing/random.ts';
import {
  answerRange,
  cellsOf,
  rangeStore,
  shardedFiles,
  shardedInfo,
  type ShardedVolume,
  type ShardingJson,
} from '../support/sharded-volume.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';

const { ok, missingChunk, failed } = PointStatus;

const sharding = (part: Partial<ShardingJson> = {}): ShardingJson => ({
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'identity',
  preshift_bits: 3,
  minishard_bits: 3,
  shard_bits: 3,
  ...part,
});

/** 512 chunks of 4 x 4 x 2 voxels (256 bytes) in 8 shards of 8 minishards; labels pass 2^53. */
const labelAt = (x: number, y: number, z: number): bigint => (1n << 60n) + BigInt(x + 100 * y + 10_000 * z);
const volume: ShardedVolume = {
  size: [32, 32, 16],
  chunkSize: [4, 4, 2],
  voxelOffset: [7, -5, 100],
  labelAt,
  sharding: sharding(),
};

const readerOf = (store: StubStore, made = volume, options: Partial<PointReaderOptions> = {}): PointReader =>
  new PointReader({ info: parseInfo(shardedInfo(made), store.url), store, infoWasRead: true, ...options });

/** Returns the first voxel of a cell. */
const voxelOf = (cell: Vec3, { voxelOffset, chunkSize }: ShardedVolume = volume): Vec3 =>
  cell.map((c, axis) => voxelOffset[axis] + c * chunkSize[axis]) as unknown as Vec3;
const read = (
  reader: PointReader,
  cells: readonly Vec3[],
  made = volume,
  signal?: AbortSignal,
): Promise<PointValues> =>
  reader.read(
    cells.map((cell) => voxelOf(cell, made)),
    { mip: 0, resolution: [8, 8, 40], signal },
  );
const expectRight = ({ values }: PointValues, cells: readonly Vec3[], made = volume): void =>
  expect(values).toEqual(BigUint64Array.from(cells, (cell) => made.labelAt(...voxelOf(cell, made))));
const rangesOf = (store: StubStore): [string, number?, number?][] =>
  store.reads.map(({ key, range }) => (range ? [key, range.start, range.end] : [key]));

/** Returns `count` distinct cells. */
function someCells(count: number, seed: number, made = volume): Vec3[] {
  const random = seeded(seed),
    all = cellsOf(made);
  return Array.from({ length: count }, () => all.splice(random.below(all.length), 1)[0]);
}

describe('a sharded volume', () => {
  const layouts: { name: string; made: ShardedVolume }[] = [
    {
      name: 'identity, everything gzip',
      made: { ...volume, sharding: sharding({ minishard_index_encoding: 'gzip', data_encoding: 'gzip' }) },
    },
    { name: 'identity, nothing compressed', made: volume },
    { name: 'indices after their minishards', made: { ...volume, indices: 'behind' } },
    {
      name: 'murmurhash',
      made: {
        ...volume,
        sharding: sharding({
          hash: 'murmurhash3_x86_128',
          preshift_bits: 1,
          minishard_bits: 2,
          shard_bits: 5,
          data_encoding: 'gzip',
        }),
      },
    },
    {
      name: 'one shard of one minishard',
      made: { ...volume, sharding: sharding({ preshift_bits: 0, minishard_bits: 0, shard_bits: 0 }) },
    },
    {
      name: 'one shard per chunk',
      made: {
        ...volume,
        size: [9, 9, 5],
        sharding: sharding({ preshift_bits: 0, minishard_bits: 0, shard_bits: 40 }),
      },
    },
    { name: 'an odd, clipped grid', made: { ...volume, size: [31, 17, 9] } },
    { name: 'a dimension of one cell', made: { ...volume, size: [32, 32, 2] } },
    {
      name: 'fewer cells than a shard could hold',
      made: { ...volume, size: [5, 4, 2], sharding: sharding({ preshift_bits: 20, minishard_bits: 6 }) },
    },
  ];
  test.each(layouts)('is read correctly: $name', async ({ made }) => {
    const random = seeded(3),
      points = Array.from(
        { length: 400 },
        () => made.size.map((n, axis) => made.voxelOffset[axis] + random.below(n)) as unknown as Vec3,
      );
    for (const some of [points, points.slice(0, 3)]) {
      const { values, failures } = await readerOf(rangeStore(shardedFiles(made)), made).read(some, {
        mip: 0,
      });
      expect(failures).toEqual([]);
      expect(values).toEqual(BigUint64Array.from(some, (point) => labelAt(...point)));
    }
  });

  test('may have several channels', async () => {
    // The same bytes, as 4 x 4 x 1 voxels of two channels instead of 4 x 4 x 2 voxels of one.
    const store = rangeStore(shardedFiles(volume)),
      {
        scales: [scale],
        ...rest
      } = shardedInfo(volume);
    const info = parseInfo(
      {
        ...rest,
        num_channels: 2,
        scales: [{ ...scale, size: [32, 32, 8], chunk_sizes: [[4, 4, 1]], voxel_offset: [7, -5, 50] }],
      },
      store.url,
    );
    const points = [
      [7, -5, 50],
      [38, 26, 57],
      [20, 3, 53],
    ];
    const { values } = await new PointReader({ info, store, infoWasRead: true }).read(points, { mip: 0 });
    expect(values).toEqual(
      BigUint64Array.from(points.flatMap(([x, y, z]) => [labelAt(x, y, 2 * z), labelAt(x, y, 2 * z + 1)])),
    );
  });

  test('names a chunk by its shard and its bounds, without a request', () => {
    const store = rangeStore({}),
      {
        scales: [scale],
      } = parseInfo(shardedInfo(volume), store.url);
    const source = new ShardedSource({
      store,
      scale,
      codec: rawCodec,
      layoutOf: () => ({ chunkSize: [4, 4, 2], channels: 1, dataType: 'uint64' }),
      infoWasRead: true,
      sharding: parseSharding(scale.sharding, ''),
      indices: new ShardIndexCache(),
    });
    expect(source.id).toBe('https://bucket.example/volume/s0');
    expect([0, 1, 511].map((cell) => source.urlOf(cell))).toEqual(
      ['0.shard#7-11_-5--1_100-102', '0.shard#11-15_-5--1_100-102', '7.shard#35-39_23-27_114-116'].map(
        (name) => `https://bucket.example/volume/s0/${name}`,
      ),
    );
    expect(new Set(Array.from({ length: 512 }, (_, cell) => source.urlOf(cell))).size).toBe(512);
    expect(store.reads).toEqual([]);
  });

  test.each<[name: string, part: object, code: string]>([
    ['an impossible number of bits', { minishard_bits: 65 }, 'BAD_INFO'],
    ['an unknown hash', { hash: 'sha256' }, 'UNSUPPORTED'],
  ])('is refused for %s, and nothing is read', async (_name, part, code) => {
    const store = rangeStore({});
    await expect(
      read(readerOf(store, { ...volume, sharding: sharding(part) }), [[0, 0, 0]]),
    ).rejects.toMatchObject({
      name: 'InfoError',
      code,
      message: expect.stringContaining('scales[0] of the info at https://bucket.example/volume: sharding.'),
    });
    expect(store.reads).toEqual([]);
  });
});

describe('requests', () => {
  const files = shardedFiles(volume);

  test('are one per shard if all of it is wanted', async () => {
    const store = rangeStore(files),
      cells = cellsOf(volume);
    const result = await read(readerOf(store), cells);
    expectRight(result, cells);
    expect(rangesOf(store).sort()).toEqual(
      Array.from({ length: 8 }, (_, k) => [`s0/${k}.shard`, 0, 8 * 2 ** 20]),
    );
    expect(result.stats).toMatchObject({
      chunks: 512,
      requests: 8,
      bytes: Array.from({ length: 8 }, (_, k) => files[`s0/${k}.shard`].byteLength).reduce((a, b) => a + b),
    });
  });

  test('are three for one chunk: shard index, minishard index, chunk, and nothing else of the shard', async () => {
    const store = rangeStore(files),
      reader = readerOf(store);
    expectRight(await read(reader, [[0, 0, 0]]), [[0, 0, 0]]);
    const end = files['s0/0.shard'].byteLength,
      index = 8 * 24;
    expect(rangesOf(store)).toEqual([
      ['s0/0.shard', 0, 128],
      ['s0/0.shard', end - 8 * index, end - 7 * index],
      ['s0/0.shard', 128, 128 + 256],
    ]);
  });

  test('are for data alone once the indices are known', async () => {
    const store = rangeStore(files),
      reader = readerOf(store);
    await read(reader, [[0, 0, 0]]);
    const before = store.reads.length;
    const { stats } = await read(reader, [[1, 0, 0]]);
    expect(rangesOf(store).slice(before)).toEqual([['s0/0.shard', 128 + 256, 128 + 512]]);
    expect(stats).toMatchObject({ requests: 1, bytes: 256 });
    // If the indices are known, all data of a shard comes in one read.
    const all = cellsOf(volume).filter((cell) => cell.every((c) => c < 2));
    await read(reader, all);
    expect(rangesOf(store).slice(before + 1)).toEqual([['s0/0.shard', 128, 128 + 8 * 256]]);
  });

  test.each([8, 50, 128, 256, 384, 440, 512])(
    'are few and waste little if %d of 512 chunks are wanted',
    async (count) => {
      // The chunks are so large that even the smallest gaps have a cost.
      const made: ShardedVolume = {
        size: [64, 64, 64],
        chunkSize: [8, 8, 8],
        voxelOffset: [0, 0, 0],
        labelAt,
        sharding: sharding(),
      };
      const store = rangeStore(shardedFiles(made)),
        cells = someCells(count, count, made);
      const result = await read(readerOf(store, made), cells, made);
      expectRight(result, cells, made);
      // A simple reader needs two requests for the indices of each shard and one per run of neighbours.
      // Shards hold 64 chunks in the order of their IDs.
      const ids = new Set(cells.map((cell) => Number(naiveMorton(cell, [8, 8, 8])))),
        shards = new Set([...ids].map((id) => Math.floor(id / 64)));
      const runs = [...ids].filter((id) => id % 64 === 0 || !ids.has(id - 1)).length;
      expect(result.stats.requests).toBeLessThanOrEqual(count === 512 ? 8 : 2 * shards.size + runs);
      expect(result.stats.bytes).toBeLessThanOrEqual(
        1.25 * 4096 * count + shards.size * (128 + 64 * 24 + 16_384),
      );
    },
  );

  test('are shared by simultaneous calls: indices are read once', async () => {
    const store = rangeStore(files),
      reader = readerOf(store),
      cells = cellsOf(volume)
        .filter((cell) => cell.every((c) => c < 4))
        .slice(0, 20);
    const results = await Promise.all(cells.map((cell) => read(reader, [cell])));
    results.forEach((result, k) => expectRight(result, [cells[k]]));
    const ranges = rangesOf(store).map(String);
    expect(new Set(ranges).size).toBe(ranges.length);
    expect(ranges.filter((range) => range.endsWith(',0,128'))).toHaveLength(1);
    expect(results.map(({ stats }) => stats.requests).reduce((a, b) => a + b)).toBe(ranges.length);
  });

  test('run for several shards in parallel', async () => {
    const gate = deferred<void>(),
      store = new StubStore(
        async (key, options) => (await gate.promise, answerRange(files[key], key, options)),
      );
    const done = read(readerOf(store), [
      [0, 0, 0],
      [7, 7, 7],
      [0, 7, 0],
    ]);
    await nextTurn();
    expect(rangesOf(store)).toEqual([
      ['s0/0.shard', 0, 128],
      ['s0/7.shard', 0, 128],
      ['s0/2.shard', 0, 128],
    ]);
    gate.resolve();
    expectRight(await done, [
      [0, 0, 0],
      [7, 7, 7],
      [0, 7, 0],
    ]);
  });

  test('read only the entries if the shard index is large', async () => {
    // With 2^20 minishards, the shard index has 16 MiB.
    const made: ShardedVolume = {
      ...volume,
      size: [8, 4, 2],
      sharding: sharding({ preshift_bits: 0, minishard_bits: 20, shard_bits: 0 }),
    };
    const store = rangeStore(shardedFiles(made)),
      cells: Vec3[] = [
        [0, 0, 0],
        [1, 0, 0],
      ],
      base = 2 ** 24;
    const result = await read(readerOf(store, made), [[1, 0, 0]], made);
    expectRight(result, [[1, 0, 0]], made);
    expect(rangesOf(store)).toEqual([
      ['s0/0.shard', 16, 32],
      ['s0/0.shard', base + 2 * 256 + 24, base + 2 * 256 + 48],
      ['s0/0.shard', base + 256, base + 512],
    ]);
    const again = rangeStore(shardedFiles(made)),
      reader = readerOf(again, made);
    expectRight(await read(reader, cells, made), cells, made);
    expect(rangesOf(again)).toEqual([
      ['s0/0.shard', 0, 32],
      ['s0/0.shard', base + 512, base + 560],
      ['s0/0.shard', base, base + 512],
    ]);
    expectRight(await read(reader, cells, made), cells, made);
    expect(again.reads).toHaveLength(4);
  });

  test('do not read the beginning of a shard first if one read would cut a chunk', async () => {
    const MB = 2 ** 20,
      made: ShardedVolume = {
        size: [64, 64, 384],
        chunkSize: [64, 64, 128],
        voxelOffset: [0, 0, 0],
        labelAt: (x) => BigInt(x),
        sharding: sharding({ preshift_bits: 0, minishard_bits: 0, shard_bits: 0 }),
      };
    const store = rangeStore(shardedFiles(made)),
      cells = cellsOf(made);
    expectRight(await read(readerOf(store, made, { rangeReads: false }), cells, made), cells, made);
    expect(rangesOf(store)).toEqual([
      ['s0/0.shard', 0, 16],
      ['s0/0.shard', 16 + 12 * MB, 16 + 12 * MB + 72],
      ['s0/0.shard', 16, 16 + 8 * MB],
      ['s0/0.shard', 16 + 8 * MB, 16 + 12 * MB],
    ]);
    // If the sizes are not known beforehand, the first read gets the whole shard.
    const zipped = { ...made, sharding: { ...made.sharding, data_encoding: 'gzip' as const } },
      small = rangeStore(shardedFiles(zipped));
    expectRight(await read(readerOf(small, zipped), cells, made), cells, made);
    expect(rangesOf(small)).toEqual([['s0/0.shard', 0, 8 * MB]]);
  });

  test('continue after the beginning of a shard that is wanted almost completely', async () => {
    // gzip cannot shrink these labels: the first read ends inside the second chunk, and the indices are at
    // the end.
    const random = seeded(9),
      noise = BigUint64Array.from(
        { length: 64 * 64 * 384 },
        () => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)),
      );
    const made: ShardedVolume = {
      size: [64, 64, 384],
      chunkSize: [64, 64, 128],
      voxelOffset: [0, 0, 0],
      labelAt: (x, y, z) => noise[x + 64 * (y + 64 * z)],
      sharding: sharding({ preshift_bits: 0, minishard_bits: 0, shard_bits: 0, data_encoding: 'gzip' }),
    };
    const store = rangeStore(shardedFiles(made)),
      cells = cellsOf(made);
    expectRight(await read(readerOf(store, made), cells, made), cells, made);
    const [beginning, index, ...data] = rangesOf(store);
    expect([beginning, index[2]! - index[1]!]).toEqual([['s0/0.shard', 0, 8 * 2 ** 20], 72]);
    expect(data.length).toBeLessThanOrEqual(2);
  });

  test('never keep a large read alive through a cached chunk', async () => {
    const store = rangeStore(files),
      {
        scales: [scale],
      } = parseInfo(shardedInfo(volume), store.url);
    const layoutOf = (cell: number) => ({
      chunkSize: cellSize(scale, cell),
      channels: 1,
      dataType: 'uint64' as const,
    });
    const source = new ShardedSource({
      store,
      scale,
      codec: rawCodec,
      layoutOf,
      infoWasRead: true,
      sharding: parseSharding(scale.sharding, ''),
      indices: new ShardIndexCache(),
    });
    const reader = new ChunkReader({ lruBytes: 1e6 }),
      taken: number[] = [];
    const consumer = {
      receive: (_: number, bytes?: Uint8Array) => void taken.push(bytes!.buffer.byteLength),
      done: () => undefined,
      fail: (_: number, error: Error) => expect(error).toBeUndefined(),
    };
    const all = Float64Array.from({ length: 512 }, (_, cell) => cell);
    await reader.read(source, all, consumer);
    expect(await reader.read(source, all, consumer)).toMatchObject({ requests: 0, cacheHits: 512 });
    expect(taken).toHaveLength(1024);
    expect(Math.max(...taken)).toBeLessThanOrEqual(2048);
  });
});

describe('a server that does not send the size of a shard', () => {
  const made: ShardedVolume = { ...volume, size: [16, 16, 8], sharding: sharding({ shard_bits: 0 }) },
    files = shardedFiles(made);
  /** Answers a long range with only its first bytes. */
  const shortStore = (most: number): StubStore =>
    new StubStore((key, options) =>
      answerRange(files[key], key, {
        ...options,
        range: options.range && {
          ...options.range,
          end: Math.min(options.range.end, options.range.start + most),
        },
      }),
    );

  test.each([100_000, 16_640, 9000, 600])(
    'gets further requests for what it has not sent, with at most %i bytes per reply',
    async (most) => {
      const cells = cellsOf(made),
        store = shortStore(most);
      if (most >= 9000) expectRight(await read(readerOf(store, made), cells, made), cells, made);
      else
        for (const cell of cells.slice(0, 9))
          expectRight(await read(readerOf(store, made), [cell], made), [cell], made);
    },
  );
});

describe('a chunk that is not stored', () => {
  const [some, sameMinishard, otherMinishard, otherShard]: Vec3[] = [
    [0, 0, 0],
    [1, 0, 0],
    [2, 0, 0],
    [7, 7, 7],
  ];
  const files = shardedFiles({ ...volume, stored: (cell) => String(cell) === '0,0,0' });
  const cells = [some, sameMinishard, otherMinishard, otherShard];

  test('is missing, alone or with its minishard or shard', async () => {
    const store = rangeStore(files),
      result = await read(readerOf(store), cells);
    expect([...result.status]).toEqual([ok, missingChunk, missingChunk, missingChunk]);
    expect(rangesOf(store).sort()).toEqual([
      ['s0/0.shard', 0, 128],
      ['s0/0.shard', 128, 384],
      ['s0/0.shard', 384, 408],
      ['s0/7.shard', 0, 128],
    ]);
  });

  test('costs one request per missing shard if all of the shard is wanted', async () => {
    const store = rangeStore({}),
      all = cellsOf(volume),
      { status, stats } = await read(readerOf(store), all);
    expect(new Set(status)).toEqual(new Set([missingChunk]));
    expect(stats.requests).toBe(8);
  });

  test('is looked up again in the next call if its shard was missing, but not if its minishard was empty', async () => {
    const store = rangeStore(files),
      reader = readerOf(store);
    await read(reader, cells);
    store.reads.length = 0;
    await read(reader, cells.slice(1));
    expect(rangesOf(store)).toEqual([['s0/7.shard', 0, 128]]);
  });

  test('is missing if its shard was deleted after its index was read', async () => {
    const there = { ...files },
      store = rangeStore(there),
      reader = readerOf(store);
    await read(reader, [some]);
    delete there['s0/0.shard'];
    expect([...(await read(reader, [some])).status]).toEqual([missingChunk]);
  });

  test('is recognized by a 403 as in an unsharded scale', async () => {
    const forbidden = new StubStore((key, { absentBy403 }) => {
      if (key === 'info') return new Uint8Array(2);
      if (absentBy403) return undefined;
      throw new RequestError('HTTP_STATUS', 'answered 403', key, 403);
    });
    expect([...(await read(readerOf(forbidden), [some])).status]).toEqual([missingChunk]);
    expect(forbidden.keys).toEqual(['s0/0.shard']);
    expect([...(await read(readerOf(forbidden, volume, { infoWasRead: false }), [some])).status]).toEqual([
      missingChunk,
    ]);
    expect(forbidden.keys.slice(1)).toEqual(['s0/0.shard', 'info', 's0/0.shard']);
  });
});

describe('a server that ignores ranges', () => {
  const files = shardedFiles({
    ...volume,
    sharding: sharding({ minishard_index_encoding: 'gzip', data_encoding: 'gzip' }),
  });
  const made = { ...volume, sharding: sharding({ minishard_index_encoding: 'gzip', data_encoding: 'gzip' }) };
  const ignoring = (contentEncoding?: string): StubStore =>
    new StubStore(
      (key) => files[key] && { bytes: contentEncoding ? gzipSync(files[key]) : files[key], contentEncoding },
    );

  test.each([[undefined], ['gzip']])(
    'gets one request per shard and call, with content encoding %s',
    async (contentEncoding) => {
      const store = ignoring(contentEncoding),
        reader = readerOf(store, made),
        cells = someCells(60, 1);
      expectRight(await read(reader, cells), cells);
      expect(store.keys.sort()).toEqual(Array.from({ length: 8 }, (_, k) => `s0/${k}.shard`));
      store.reads.length = 0;
      expectRight(await read(reader, cells), cells); // all indices are known
      // no more range requests
      expect(rangesOf(store).sort()).toEqual(Array.from({ length: 8 }, (_, k) => [`s0/${k}.shard`]));
      store.reads.length = 0;
      const others = cellsOf(volume);
      expectRight(await read(reader, others), others);
      expect(store.reads).toHaveLength(8);
    },
  );

  test('gets one request from each of several calls that notice it at the same time', async () => {
    const store = ignoring(),
      reader = readerOf(store, made),
      cells: Vec3[] = [
        [0, 0, 0],
        [1, 1, 1],
        [2, 2, 1],
        [3, 1, 2],
      ];
    const results = await Promise.all(cells.map((cell) => read(reader, [cell])));
    results.forEach((result, k) => expectRight(result, [cells[k]]));
    expect(store.keys).toEqual(Array<string>(cells.length).fill('s0/0.shard'));
  });

  test('is not assumed if the whole object is what was requested', async () => {
    const store = new StubStore((key, options) =>
      options.range!.end >= files[key].byteLength && options.range!.start === 0
        ? files[key]
        : answerRange(files[key], key, options),
    );
    const reader = readerOf(store, made),
      inShard0 = cellsOf(volume).filter((cell) => cell.every((c) => c < 4));
    expectRight(await read(reader, inShard0), inShard0);
    expectRight(await read(reader, [[7, 7, 7]]), [[7, 7, 7]]);
    expect(rangesOf(store).slice(0, 2)).toEqual([
      ['s0/0.shard', 0, 8 * 2 ** 20],
      ['s0/7.shard', 0, 128],
    ]);
    expect(store.reads.every(({ range }) => range)).toBe(true);
  });

  test('may send shards up to the size limit', async () => {
    const store = new StubStore((key, { maxBytes }) => {
      expect(maxBytes).toBe(MAX_WHOLE_SHARD_BYTES);
      throw new RequestError('TOO_LARGE', 'more than expected', key);
    });
    const result = await read(readerOf(store, made), [[0, 0, 0]]);
    expect(errorOfPoint(result.failures, 0)!.cause).toMatchObject({
      name: 'RequestError',
      code: 'TOO_LARGE',
    });
    expect(MAX_WHOLE_SHARD_BYTES).toBe(256 * 2 ** 20);
  });
});

describe('a broken shard', () => {
  const files = shardedFiles(volume);
  // Shard 0 holds cells 0 to 3 on each axis. Each minishard holds 2 x 2 x 2 of them.
  const [first, inFirst, inSecond]: Vec3[] = [
    [0, 0, 0],
    [1, 1, 1],
    [2, 0, 0],
  ];
  const cells = [first, inFirst, inSecond];
  const indexOf = (minishard: number): ByteRange => {
    const view = new DataView(files['s0/0.shard'].buffer, 16 * minishard);
    return { start: 128 + Number(view.getBigUint64(0, true)), end: 128 + Number(view.getBigUint64(8, true)) };
  };
  const changed = (
    change: (view: DataView, bytes: Uint8Array) => Uint8Array | void,
  ): Record<string, Uint8Array> => {
    const bytes = files['s0/0.shard'].slice();
    return { ...files, 's0/0.shard': change(new DataView(bytes.buffer), bytes) ?? bytes };
  };
  const set =
    (at: number, value: bigint) =>
    (view: DataView): void =>
      view.setBigUint64(at, value, true);
  const FIRST = [failed, failed, ok],
    ALL = [failed, failed, failed];

  const cases: {
    name: string;
    broken: Record<string, Uint8Array>;
    status: number[];
    code: DecodeError['code'];
    message: RegExp;
  }[] = [
    {
      name: 'a shard index that ends too early',
      broken: changed((_, bytes) => bytes.slice(0, 100)),
      status: ALL,
      code: 'TRUNCATED',
      message: /^0\.shard: bytes 0 to 128 are needed, but only 0 to 100 were read$/,
    },
    {
      name: 'an empty file',
      broken: changed(() => new Uint8Array(0)),
      status: ALL,
      code: 'TRUNCATED',
      message: /^0\.shard: the file ends before byte 0$/,
    },
    {
      name: 'an entry that ends before it starts',
      broken: changed(set(0, 99_999n)),
      status: FIRST,
      code: 'BAD_HEADER',
      message: /^0\.shard: minishard 0: the shard index places its index at /,
    },
    {
      name: 'an entry beyond 2^53',
      broken: changed(set(8, 2n ** 60n)),
      status: FIRST,
      code: 'BAD_HEADER',
      message: /^0\.shard: minishard 0: /,
    },
    {
      name: 'an entry beyond the file',
      broken: changed((view) => (set(0, 1_000_000n)(view), set(8, 1_000_240n)(view))),
      status: FIRST,
      code: 'TRUNCATED',
      message: /^0\.shard: the index of minishard 0: the file ends before byte 1000128$/,
    },
    {
      name: 'an entry across the end of the file',
      broken: changed((view, bytes) => set(24, BigInt(bytes.byteLength))(view)),
      status: [ok, ok, failed],
      code: 'TRUNCATED',
      message:
        /^0\.shard: the index of minishard 1: bytes \d+ to \d+ are needed, but only \d+ to \d+ were read$/,
    },
    {
      name: 'an entry of impossible size',
      broken: changed(set(8, 2n ** 40n)),
      status: FIRST,
      code: 'TOO_LARGE',
      message: /^0\.shard: minishard 0: its index has \d+ bytes; the limit is 67108864$/,
    },
    {
      name: 'an index with an incomplete entry',
      broken: changed((view) => set(8, BigInt(indexOf(0).end - 128 - 1))(view)),
      status: FIRST,
      code: 'TRUNCATED',
      message: /^0\.shard: minishard 0: an index of 191 bytes is not a whole number/,
    },
    {
      name: 'an index that lists a chunk twice',
      broken: changed(set(indexOf(0).start + 8, 0n)),
      status: FIRST,
      code: 'BAD_HEADER',
      message: /^0\.shard: minishard 0: its index lists chunk 0 twice$/,
    },
    {
      name: 'a chunk before the data',
      broken: changed(set(indexOf(0).start + 64, 2n ** 64n - 8n)),
      status: FIRST,
      code: 'BAD_HEADER',
      message: /^0\.shard: minishard 0: its index places chunk 0 at /,
    },
    {
      name: 'a chunk beyond the file',
      broken: changed((view, bytes) => set(indexOf(0).start + 64 + 56, BigInt(bytes.byteLength))(view)),
      status: [ok, failed, ok],
      code: 'TRUNCATED',
      message: /^0\.shard: the file ends before byte \d+$/,
    },
    {
      name: 'a chunk across the end of the file',
      broken: changed((view, bytes) =>
        set(indexOf(0).start + 64 + 56, BigInt(bytes.byteLength - 128 - 7 * 256 - 10))(view),
      ),
      status: [ok, failed, ok],
      code: 'TRUNCATED',
      message: /^0\.shard: minishard 0: bytes \d+ to \d+ are needed, but only \d+ to \d+ were read$/,
    },
    {
      name: 'a chunk of impossible size',
      broken: changed(set(indexOf(0).start + 128 + 56, 2n ** 40n)),
      status: [ok, failed, ok],
      code: 'TOO_LARGE',
      message: /^0\.shard: minishard 0: a chunk has 1099511627776 bytes; at most 256 are expected$/,
    },
    {
      name: 'a chunk of zero bytes',
      broken: changed(set(indexOf(0).start + 128 + 56, 0n)),
      status: [ok, failed, ok],
      code: 'WRONG_SIZE',
      message: /./,
    },
  ];
  test.each(cases)('fails only the affected points: $name', async ({ broken, status, code, message }) => {
    const store = rangeStore(broken),
      result = await read(readerOf(store), cells);
    expect([...result.status]).toEqual(status);
    const error = errorOfPoint(result.failures, status.indexOf(failed))!;
    expect(error.message).toMatch(/^chunk https:\/\/bucket\.example\/volume\/s0\/0\.shard#/);
    expect(error.cause).toMatchObject({ name: 'DecodeError', code });
    expect((error.cause as Error).message).toMatch(message);
    for (const [k, cell] of cells.entries())
      expect(result.values[k]).toBe(status[k] === ok ? labelAt(...voxelOf(cell)) : 0n);
    expect(store.reads.length).toBeLessThanOrEqual(6);
  });

  test('has no chunks if every entry of its index is zero', async () =>
    expect([
      ...(await read(readerOf(rangeStore(changed((_, bytes) => bytes.fill(0, 0, 128))), volume), cells))
        .status,
    ]).toEqual([missingChunk, missingChunk, missingChunk]));

  test('fails only the minishard whose gzip is broken', async () => {
    const made = { ...volume, sharding: sharding({ minishard_index_encoding: 'gzip' }) },
      gz = shardedFiles(made);
    const shard = gz['s0/0.shard'],
      at = 128 + Number(new DataView(shard.buffer).getBigUint64(0, true));
    shard[at + 15] ^= 0xff;
    const result = await read(readerOf(rangeStore(gz), made), cells);
    expect([...result.status]).toEqual(FIRST);
    const { cause } = errorOfPoint(result.failures, 0)!;
    expect((cause as Error).message).toMatch(/^0\.shard: the index of minishard 0: gzip: /);
    expect(['BAD_BITSTREAM', 'BAD_CHECKSUM', 'TRUNCATED']).toContain((cause as DecodeError).code);
  });

  test('fails if its ranges have a content encoding', async () => {
    const store = new StubStore((key, options) => ({
      ...answerRange(files[key], key, options)!,
      contentEncoding: 'gzip',
    }));
    const result = await read(readerOf(store), cells);
    expect(errorOfPoint(result.failures, 0)!.cause).toMatchObject({
      code: 'UNSUPPORTED',
      message: '0.shard: the file is stored with content encoding gzip, so it cannot be read in parts',
    });
  });

  test('is read again in the next call, because failures are not cached', async () => {
    let broken = true;
    const store = new StubStore((key, options) => {
      if (broken && options.range?.start !== 0)
        throw new RequestError('HTTP_STATUS', 'answered 500', key, 500);
      return answerRange(files[key], key, options);
    });
    const reader = readerOf(store),
      result = await read(reader, cells);
    expect([...result.status]).toEqual(ALL);
    expect(errorOfPoint(result.failures, 0)!.cause).toMatchObject({ name: 'RequestError', status: 500 });
    broken = false;
    expectRight(await read(reader, cells), cells);
  });
});

describe('an abort', () => {
  const files = shardedFiles(volume),
    gone = new Error('gone');

  /** A store whose reads wait for the test. They reject when their signal aborts. */
  function waiting(): { store: StubStore; gate: ReturnType<typeof deferred<void>> } {
    const gate = deferred<void>();
    const store = new StubStore(
      (key, options) =>
        new Promise((resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(options.signal!.reason as Error));
          void gate.promise.then(() => resolve(answerRange(files[key], key, options)));
        }),
    );
    return { store, gate };
  }

  test('cancels the read of an index that no other call waits for', async () => {
    const { store } = waiting(),
      abort = new AbortController();
    const done = read(readerOf(store), [[0, 0, 0]], volume, abort.signal);
    await nextTurn();
    expect(store.reads).toHaveLength(1);
    abort.abort(gone);
    await expect(done).rejects.toBe(gone);
    expect(store.reads[0].signal!.aborted).toBe(true);
  });

  test('of one call does not affect another call that waits for the same index', async () => {
    const { store, gate } = waiting(),
      abort = new AbortController(),
      reader = readerOf(store);
    const first = read(reader, [[0, 0, 0]], volume, abort.signal),
      second = read(reader, [[1, 0, 0]]);
    await nextTurn();
    expect(store.reads).toHaveLength(1);
    abort.abort(gone);
    await expect(first).rejects.toBe(gone);
    expect(store.reads[0].signal!.aborted).toBe(false);
    gate.resolve();
    expectRight(await second, [[1, 0, 0]]);
    expectRight(await read(reader, [[0, 0, 0]]), [[0, 0, 0]]);
  });
});
