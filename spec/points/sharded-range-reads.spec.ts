/**
 * Partial reads of large uncompressed chunks in shards: which requests they take, and that they equal whole
 * reads.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PART_REQUEST_BYTES } from '../../lib/chunks/request-weights.ts';
import type { PointValues } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import {
  answerRange,
  rangeStore,
  shardedFiles,
  shardedInfo,
  type ShardedVolume,
  type ShardingJson,
} from '../support/sharded-volume.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';
import { rounds } from '../support/rounds.ts';

/** Chunks of 2 MiB, in shards of 4 chunks in the order of their cells, with one minishard per shard. */
const CHUNK = 2 ** 21,
  VOXELS = CHUNK / 8,
  INDEX = 4 * 24;
const labelAt = (x: number, y: number, z: number): bigint => (1n << 60n) + BigInt(x + 64 * (y + 64 * z));
const sharding: ShardingJson = {
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'identity',
  preshift_bits: 2,
  minishard_bits: 0,
  shard_bits: 1,
};
const VOLUME: ShardedVolume = {
  size: [64, 64, 512],
  chunkSize: [64, 64, 64],
  voxelOffset: [0, 0, 0],
  labelAt,
  sharding,
};
const FILES = shardedFiles(VOLUME);
/** Byte offset of a chunk in shard 0, after a shard index of one entry. */
const START = (chunk: number): number => 16 + chunk * CHUNK;
const INDICES = ['0-16', `${START(4)}-${START(4) + INDEX}`];

const readerOf = (
  store: StubStore,
  options: Partial<PointReaderOptions> = {},
  volume = VOLUME,
): PointReader =>
  new PointReader({ info: parseInfo(shardedInfo(volume), store.url), store, infoWasRead: true, ...options });
/** The point at a voxel offset of a chunk. */
const pointAt = (chunk: number, offset: number): number[] => [
  offset % 64,
  Math.floor(offset / 64) % 64,
  64 * chunk + Math.floor(offset / 4096),
];
const pointsAt = (...places: [chunk: number, offset: number][]): number[][] =>
  places.map(([chunk, offset]) => pointAt(chunk, offset));
const read = (reader: PointReader, points: number[][], signal?: AbortSignal): Promise<PointValues> =>
  reader.read(points, { mip: 0, signal });
const right = ({ values }: PointValues, points: number[][]): void =>
  expect(values).toEqual(BigUint64Array.from(points, ([x, y, z]) => labelAt(x, y, z)));
const requestsOf = (store: StubStore): string[] =>
  store.reads.map(({ range }) => (range ? `${range.start}-${range.end}` : 'whole'));
const value = (chunk: number, offset: number): string =>
  `${START(chunk) + 8 * offset}-${START(chunk) + 8 * offset + 8}`;
const whole = (chunk: number, chunks = 1): string => `${START(chunk)}-${START(chunk + chunks)}`;
const many = (chunk: number): number[][] => Array.from({ length: 33 }, (_, k) => pointAt(chunk, k * 7000));

describe('few points of large raw chunks in a shard', () => {
  test.each<[name: string, points: number[][], ranges: string[], options: Partial<PointReaderOptions>]>([
    ['the bytes of one value', pointsAt([1, 77_777]), [value(1, 77_777)], {}],
    [
      'one request per value when values of one chunk are far apart',
      pointsAt([2, 262_143], [2, 5]),
      [value(2, 5), value(2, 262_143)],
      {},
    ],
    [
      'one request per value when values are in neighbour chunks',
      pointsAt([0, 100], [1, 200], [2, 300]),
      [value(0, 100), value(1, 200), value(2, 300)],
      {},
    ],
    [
      'one request for values on both sides of the boundary of two chunks',
      pointsAt([0, VOXELS - 1], [1, 1]),
      [`${START(1) - 8}-${START(1) + 16}`],
      {},
    ],
    [
      'a whole chunk of many points, and single values of other chunks',
      [...many(0), ...pointsAt([1, 130_000], [2, 130_000], [3, 130_000])],
      [whole(0), ...[1, 2, 3].map((k) => value(k, 130_000))],
      {},
    ],
    [
      'neighbour chunks in one request when parts save too little',
      [...many(0), ...pointsAt([1, 130_000])],
      [whole(0, 2)],
      {},
    ],
    ['the whole chunk when there are many points', many(3), [whole(3)], {}],
    [
      'the whole chunk when separate requests would cost more',
      pointsAt(...[0, 70_000, 140_000, 210_000].map((offset): [number, number] => [1, offset])),
      [whole(1)],
      {},
    ],
    ['the whole chunk with lruBytes', pointsAt([1, 5]), [whole(1)], { lruBytes: 1000 }],
    ['the whole chunk with rangeReads: false', pointsAt([1, 5]), [whole(1)], { rangeReads: false }],
  ])('cost %s', async (_name, points, requests, options) => {
    const store = rangeStore(FILES),
      result = await read(readerOf(store, options), points);
    right(result, points);
    expect(requestsOf(store)).toEqual([...INDICES, ...requests]);
    expect(result.stats.bytes).toBe(
      [...INDICES, ...requests].reduce(
        (sum, range) => sum + Number(range.split('-')[1]) - Number(range.split('-')[0]),
        0,
      ),
    );
  });

  test('cost only their values when they touch all chunks of a shard, though one request could read its beginning', async () => {
    const volume: ShardedVolume = {
      ...VOLUME,
      size: [64, 64, 64],
      sharding: { ...sharding, preshift_bits: 0, shard_bits: 0 },
    };
    const files = shardedFiles(volume),
      store = rangeStore(files),
      points = pointsAt([0, 9], [0, 200_000]);
    right(await read(readerOf(store, {}, volume), points), points);
    expect(requestsOf(store)).toEqual([
      '0-16',
      `${START(1)}-${START(1) + 24}`,
      value(0, 9),
      value(0, 200_000),
    ]);
    const other = rangeStore(files);
    right(await read(readerOf(other, {}, volume), many(0)), many(0));
    expect(requestsOf(other)).toEqual([`0-${2 ** 23}`]);
  });

  test('never cost more than whole chunks, counting requests and bytes, and give the same values', async () => {
    const place = fc.record({
      chunk: fc.nat(7),
      offset: fc.nat(VOXELS - 1),
      repeat: fc.constantFrom(1, 1, 1, 2, 40),
    });
    let inParts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 8 }), async (places) => {
        const points = places.flatMap(({ chunk, offset, repeat }) =>
          Array.from({ length: repeat }, (_, k) => pointAt(chunk, (offset + 64 * k) % VOXELS)),
        );
        const parts = rangeStore(FILES),
          wholes = rangeStore(FILES);
        const [a, b] = [
          await read(readerOf(parts), points),
          await read(readerOf(wholes, { rangeReads: false }), points),
        ];
        right(a, points);
        expect([a.values, a.status]).toEqual([b.values, b.status]);
        expect(a.stats.bytes + PART_REQUEST_BYTES * a.stats.requests).toBeLessThanOrEqual(
          b.stats.bytes + PART_REQUEST_BYTES * b.stats.requests,
        );
        if (a.stats.bytes < b.stats.bytes) inParts++;
      }),
      { numRuns: rounds(20), seed: 5 },
    );
    expect(inParts).toBeGreaterThan(rounds(10));
  });

  test('are read with the whole chunk if it is compressed: gzip that the sharding names, and gzip that it does not', async () => {
    const points = pointsAt([1, 77_777]),
      zipped = { ...VOLUME, sharding: { ...sharding, data_encoding: 'gzip' as const } };
    const store = rangeStore(shardedFiles(zipped));
    right(await read(readerOf(store, {}, zipped), points), points);
    expect(store.reads).toHaveLength(3);
    // The sharding does not name the gzip here: the size of the chunks reveals it.
    const unnamed = rangeStore(shardedFiles(zipped));
    right(await read(readerOf(unnamed), points), points);
    expect(requestsOf(unnamed)).toEqual(requestsOf(store));
  });

  test('cost one read of the shard from a server that ignores ranges', async () => {
    const store = new StubStore((key) => FILES[key] && { bytes: FILES[key], contentEncoding: undefined }),
      reader = readerOf(store),
      points = pointsAt([0, 1], [1, 100_000], [3, 200_000]);
    for (const requests of [1, 2]) {
      right(await read(reader, points), points);
      expect(store.reads).toHaveLength(requests);
    }
  });

  test('are shared by calls of one tick, and a call that joins later reads its own parts', async () => {
    const gate = deferred<void>(),
      store = new StubStore(async (key, options) => {
        if (options.range && options.range.end - options.range.start === 8) await gate.promise;
        return answerRange(FILES[key], key, options);
      });
    const reader = readerOf(store),
      early = [pointsAt([1, 5]), pointsAt([1, 200_000])],
      late = pointsAt([1, 100_000]);
    const answers = early.map((points) => read(reader, points));
    while (store.reads.length < 4) await nextTurn();
    const joined = read(reader, late);
    await nextTurn();
    gate.resolve();
    for (const [k, points] of early.entries()) right(await answers[k], points);
    right(await joined, late);
    expect(requestsOf(store)).toEqual([...INDICES, value(1, 5), value(1, 200_000), value(1, 100_000)]);
  });
});

describe('a shard that changes after its index was read', () => {
  const points = pointsAt([0, 5], [2, 100_000], [3, 100_000]);
  const changing = async (shard: Uint8Array | undefined): Promise<PointValues> => {
    let now: Uint8Array | undefined = FILES['s0/0.shard'];
    const store = new StubStore((key, options) => answerRange(now, key, options)),
      reader = readerOf(store);
    await read(reader, pointsAt([0, 0]));
    now = shard;
    return read(reader, points);
  };

  test('has no chunks when it has been deleted', async () =>
    expect([...(await changing(undefined)).status]).toEqual(Array(3).fill(PointStatus.missingChunk)));

  test.each([
    ['before a value', START(3)],
    ['inside a value', START(3) + 800_004],
  ])('fails only the points beyond its new end: truncated %s', async (_name, length) => {
    const { status, values, failures } = await changing(FILES['s0/0.shard'].slice(0, length));
    expect([...status]).toEqual([PointStatus.ok, PointStatus.ok, PointStatus.failed]);
    expect([...values]).toEqual([...points.slice(0, 2).map(([x, y, z]) => labelAt(x, y, z)), 0n]);
    expect(failures[0].error.cause).toMatchObject({
      name: 'DecodeError',
      code: 'TRUNCATED',
      message: expect.stringMatching(/^0\.shard: minishard 0: /),
    });
  });

  test('fails with a ChunkError per chunk when its bytes are damaged', async () => {
    const store = rangeStore({ ...FILES, 's0/0.shard': gzipSync(FILES['s0/0.shard'].slice(0, 999)) });
    const { failures } = await read(readerOf(store), points);
    expect(failures.map(({ error }) => error.code)).toEqual(['CHUNK_FAILED', 'CHUNK_FAILED', 'CHUNK_FAILED']);
  });
});
