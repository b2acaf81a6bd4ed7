import { describe, expect, jest, test } from '@jest/globals';
import { errorOfPoint } from '../support/error-of-point.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { RequestError } from '../../lib/base/errors.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';

const { ok, background, outOfBounds, missingChunk, invalidPoint, failed } = PointStatus;

interface Part {
  type?: string;
  data_type?: string;
  num_channels?: number;
  scales?: object[];
  options?: Partial<PointReaderOptions>;
}

const scale = {
  key: '8_8_40',
  resolution: [8, 8, 40],
  size: [8, 2, 1],
  voxel_offset: [-2, 5, 0],
  chunk_sizes: [[2, 2, 1]],
  encoding: 'raw',
};

/** Bytes of a chunk of 4 voxels, one channel of uint64. */
const chunk = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);

function readerOf(store: StubStore, { options, ...info }: Part = {}): PointReader {
  const parsed = parseInfo(
    { type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale], ...info },
    store.url,
  );
  return new PointReader({ info: parsed, store, infoWasRead: true, ...options });
}

const BIG = 2n ** 64n - 3n;
const objects: Record<string, Uint8Array> = {
  '8_8_40/-2-0_5-7_0-1': chunk(11n, BIG, 0n, 2n ** 32n),
  '8_8_40/0-2_5-7_0-1': chunk(21n, 22n, 23n, 24n),
};
const stored = (): StubStore =>
  new StubStore((key) => {
    if (key === '8_8_40/4-6_5-7_0-1')
      throw new RequestError('HTTP_STATUS', 'answered 500', `https://bucket.example/volume/${key}`, 500);
    return objects[key];
  });

describe('PointReader', () => {
  test('answers every point in order, with a status each, duplicates too, and reads each chunk once', async () => {
    const store = stored();
    const points = [
      [0, 5, 0],
      [-1, 5, 0],
      [-2, 6, 0],
      [-2, 4, 0],
      [2, 5, 0],
      [NaN, 0, 0],
      [4, 5, 0],
      [0, 5, 0],
      [-1, 6, 0],
      [-1, 5.9, 0],
    ];
    const { values, status, failures, stats } = await readerOf(store).read(points, { mip: 0 });
    expect(values).toEqual(BigUint64Array.of(21n, BIG, 0n, 0n, 0n, 0n, 0n, 21n, 2n ** 32n, BIG));
    expect([...status]).toEqual([
      ok,
      ok,
      background,
      outOfBounds,
      missingChunk,
      invalidPoint,
      failed,
      ok,
      ok,
      ok,
    ]);
    expect(store.keys.sort()).toEqual([
      '8_8_40/-2-0_5-7_0-1',
      '8_8_40/0-2_5-7_0-1',
      '8_8_40/2-4_5-7_0-1',
      '8_8_40/4-6_5-7_0-1',
    ]);
    expect(stats).toMatchObject({
      points: 10,
      chunks: 4,
      requests: 4,
      bytes: 64,
      cacheHits: 0,
      rootRequests: 0,
      distinctSupervoxels: 0,
    });
    expect(errorOfPoint(failures, 6)).toMatchObject({
      code: 'CHUNK_FAILED',
      url: 'https://bucket.example/volume/8_8_40/4-6_5-7_0-1',
    });
    expect([0, 5, 7, 100].map((index) => errorOfPoint(failures, index))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('registers all chunks before its first await, so calls of one tick share every read', async () => {
    const gate = deferred<void>();
    const store = new StubStore(async (key) => (await gate.promise, objects[key]));
    const reader = readerOf(store);
    const calls = Array.from({ length: 10 }, () =>
      reader.read(
        [
          [0, 5, 0],
          [-1, 5, 0],
        ],
        { mip: 0 },
      ),
    );
    await nextTurn();
    gate.resolve();
    const answers = await Promise.all(calls);
    for (const { values } of answers) expect(values).toEqual(BigUint64Array.of(21n, BIG));
    expect(store.reads).toHaveLength(2);
    expect(answers.map(({ stats }) => [stats.requests, stats.cacheHits])).toEqual([
      [2, 0],
      ...Array<number[]>(9).fill([0, 2]),
    ]);
  });

  test('reads coordinates as voxels of mip 0 unless a resolution is given, at every mip', async () => {
    const coarse = {
      ...scale,
      key: '16_16_40',
      resolution: [16, 16, 40],
      size: [4, 1, 1],
      voxel_offset: [-1, 2, 0],
      chunk_sizes: [[4, 1, 1]],
    };
    const store = new StubStore((key) => (key.startsWith('16') ? chunk(1n, 2n, 3n, 4n) : objects[key]));
    const reader = readerOf(store, { scales: [scale, coarse] });
    const at = async (
      point: number[],
      mip: number,
      resolution?: [number, number, number],
    ): Promise<unknown> => (await reader.read([point], { mip, resolution })).values[0];
    expect(await at([3, 5, 0], 1)).toBe(3n); // floor(3 * 8 / 16) = 1, the third voxel
    expect(await at([1, 2, 0], 1, [16, 16, 40])).toBe(3n);
    expect(await at([24, 40, 0], 1, [1, 1, 1])).toBe(3n);
    expect(await at([0, 5, 0], 0)).toBe(21n);
    expect(await at([0, 10, 0], 0, [4, 4, 40])).toBe(21n);
  });

  test('uses the status background in segmentations only: 0 in an image is a value', async () => {
    const zero = (): Uint8Array => new Uint8Array(8);
    const two = { data_type: 'uint8', num_channels: 2 };
    expect([
      ...(await readerOf(new StubStore(zero), { type: 'image', ...two }).read([[0, 5, 0]], { mip: 0 }))
        .status,
    ]).toEqual([ok]);
    expect([
      ...(await readerOf(new StubStore(zero), { type: 'segmentation', ...two }).read([[0, 5, 0]], { mip: 0 }))
        .status,
    ]).toEqual([background]);
    const second = Uint8Array.of(0, 0, 0, 0, 7, 0, 0, 0);
    expect([
      ...(
        await readerOf(new StubStore(() => second), { type: 'segmentation', ...two }).read(
          [
            [0, 5, 0],
            [1, 5, 0],
          ],
          { mip: 0 },
        )
      ).status,
    ]).toEqual([ok, background]);
  });

  test.each<[name: string, points: number[][], warnings: number]>([
    [
      'does not warn when half of the points miss',
      [
        [0, 5, 0],
        [99, 5, 0],
      ],
      0,
    ],
    [
      'warns once when more than half of the points miss',
      [
        [0, 5, 0],
        [99, 5, 0],
        [-2, 6, 0],
      ],
      1,
    ],
    ['warns when all points are on background', [[-2, 6, 0]], 1],
    [
      'does not count missing chunks or invalid points',
      [
        [2, 5, 0],
        [NaN, 0, 0],
        [99, 5, 0],
      ],
      0,
    ],
    ['does not warn without points', [], 0],
  ])('%s', async (_name, points, warnings) => {
    const warn = jest.fn();
    await readerOf(stored()).read(points, { mip: 0, warn });
    expect(warn).toHaveBeenCalledTimes(warnings);
  });

  test('warns with the bounds in the units of the points', async () => {
    const warn = jest.fn<(message: string) => void>();
    await readerOf(stored()).read(
      [
        [999, 5, 0],
        [998, 5, 0],
        [-4, 12, 0],
      ],
      { mip: 0, resolution: [4, 4, 40], warn },
    );
    expect(warn.mock.calls).toEqual([
      [
        '2 of 3 points are outside the volume and 1 on background: is the resolution right? In units of 4,4,40 nm the volume goes from -4,10,0 to 12,14,1 (exclusive)',
      ],
    ]);
  });

  test.each<[name: string, points: unknown, mip: number, part: Part, error: unknown]>([
    ['an unknown mip', [[0, 0, 0]], 1, {}, new RangeError('mip 1 is not one of 0 to 0')],
    ['a mip below 0', [[0, 0, 0]], -1, {}, new RangeError('mip -1 is not one of 0 to 0')],
    ['half a mip', [[0, 0, 0]], 0.5, {}, new RangeError('mip 0.5 is not one of 0 to 0')],
    [
      'an encoding it does not know',
      [[0, 0, 0]],
      0,
      { scales: [{ ...scale, encoding: 'npz' }] },
      { name: 'InfoError', code: 'UNSUPPORTED' },
    ],
    ['one bare point', [1, 2, 3], 0, {}, { name: 'TypeError' }],
  ])('refuses %s, and reads nothing', async (_name, points, mip, part, error) => {
    const store = stored();
    await expect(readerOf(store, part).read(points as number[][], { mip })).rejects.toMatchObject(
      error as object,
    );
    expect(store.reads).toEqual([]);
  });

  test('keeps chunks between calls with lruBytes', async () => {
    const store = stored();
    const reader = readerOf(store, { options: { lruBytes: 1000 } });
    await reader.read([[0, 5, 0]], { mip: 0 });
    const { stats, values } = await reader.read([[1, 5, 0]], { mip: 0 });
    expect(stats).toMatchObject({ chunks: 1, requests: 0, bytes: 0, cacheHits: 1 });
    expect(values).toEqual(BigUint64Array.of(22n));
    expect(store.reads).toHaveLength(1);
  });

  test('answers no points without a request', async () => {
    const store = stored();
    const { values, status, stats } = await readerOf(store).read(new Float64Array(0), { mip: 0 });
    expect([values.length, status.length, stats.chunks, store.reads.length]).toEqual([0, 0, 0, 0]);
  });

  test('reports progress with the number of points', async () => {
    const onProgress = jest.fn();
    await readerOf(stored()).read(
      [
        [0, 5, 0],
        [-1, 5, 0],
        [0, 6, 0],
      ],
      { mip: 0, onProgress },
    );
    expect(onProgress.mock.calls).toEqual([
      [{ points: 3, chunks: 2, chunksDone: 1 }],
      [{ points: 3, chunks: 2, chunksDone: 2 }],
    ]);
  });
});
