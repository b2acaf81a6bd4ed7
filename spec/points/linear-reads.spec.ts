import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DeadlineError, RequestError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { memoryBucket, openGraphene, openPrecomputed, statusText, type PointInput } from '../../lib/index.ts';
import type { PointQuery } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import type { DataType } from '../../lib/precomputed/data-type.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { buildPrecomputed, createMockBucket, createMockChunkedGraph, serveMocks } from '../../mocks/index.ts';
import { loadFixture, VOLUMES_FOLDER } from '../../testing/fixtures.ts';
import { errorOfPoint } from '../support/error-of-point.ts';
import { StubStore } from '../support/stub-store.ts';

const { ok, outOfBounds, missingChunk, invalidPoint, failed } = PointStatus;

const SILENT = { warn: () => undefined };

interface Case {
  volume: string;
  resolution: Vec3;
  points: Vec3[];
  values: (number[] | null)[];
}
const linear = JSON.parse(readFileSync(join(VOLUMES_FOLDER, '../interpolation/linear.json'), 'utf8')) as {
  cases: Case[];
};

describe("interpolate: 'linear'", () => {
  test.each(linear.cases)('gives the values of SciPy: $volume in units of $resolution', async (known) => {
    const volume = await openPrecomputed(`file://${join(VOLUMES_FOLDER, known.volume)}`, { logger: SILENT });
    const { resolution } = known;
    const { values, status, stats } = await volume.scatteredPoints(known.points, {
      resolution,
      interpolate: 'linear',
    });
    expect(Array.from(status, statusText)).toEqual(
      known.values.map((value) => (value === null ? 'out_of_bounds' : 'ok')),
    );
    const expected = known.values.flatMap((value) => value ?? Array<number>(volume.numChannels).fill(0));
    expect(values).toBeInstanceOf(Float64Array);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [k, value] of expected.entries())
      expect(Math.abs(Number(values[k]) - value)).toBeLessThanOrEqual(largest * 1e-13);
    expect(stats.requests).toBe(stats.chunks); // each once
    await volume.close();
  });

  const size: Vec3 = [7, 6, 5],
    voxelOffset: Vec3 = [-3, 2, 11];
  const types: { dataType: DataType; valueOf: (x: number, y: number, z: number, c: number) => number }[] = [
    { dataType: 'uint8', valueOf: (x, y, z, c) => (31 * x + 17 * y + 7 * z + 101 * c) & 255 },
    { dataType: 'int16', valueOf: (x, y, z, c) => (x * y * 131 - z * 777 + c * 31) | 0 },
    { dataType: 'float32', valueOf: (x, y, z, c) => Math.fround(Math.sin(x + 2 * y) * 10 ** (z - c - 12)) },
    { dataType: 'float64', valueOf: (x, y, z, c) => Math.cos(x * y + z) * 1e300 + c },
    { dataType: 'uint64', valueOf: (x, y, z, c) => 2 ** 63 + 2 ** 40 * (x + 5 * y + 9 * z + c) },
    { dataType: 'int64', valueOf: (x, y, z) => -(2 ** 62) + 2 ** 45 * (x - 3 * y + z) },
  ];

  /** The weighted mean of the voxels around a place, voxel by voxel. Undefined if one is outside. */
  function naive(place: readonly number[], valueAt: (voxel: Vec3) => number): number | undefined {
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      const voxel: [number, number, number] = [0, 0, 0];
      let weight = 1;
      for (let axis = 0; axis < 3; axis++) {
        const first = Math.floor(place[axis] - 0.5),
          share = place[axis] - 0.5 - first,
          next = (corner >> axis) & 1;
        voxel[axis] = first + next;
        weight *= next ? share : 1 - share;
      }
      if (weight === 0) continue;
      if (voxel.some((v, axis) => v < voxelOffset[axis] || v >= voxelOffset[axis] + size[axis]))
        return undefined;
      sum += weight * valueAt(voxel);
    }
    return sum;
  }

  test.each(types)('gives the weighted mean of the voxels around each point: $dataType', async (type) => {
    const { dataType, valueOf } = type,
      channels = dataType === 'float64' ? 1 : 2,
      is64 = dataType.endsWith('int64');
    const { files } = buildPrecomputed({
      labels: (x: number, y: number, z: number, c: number) =>
        is64 ? BigInt(valueOf(x, y, z, c)) : valueOf(x, y, z, c),
      size,
      voxelOffset,
      dataType,
      channels,
      type: 'image',
      chunkSize: [4, 3, 2],
    });
    for (const [key, file] of Object.entries(files))
      memoryBucket(`linear-${dataType}`).put(key, file instanceof Uint8Array ? file : file.bytes);
    const volume = await openPrecomputed(`mem://linear-${dataType}`, { logger: SILENT });
    const along = (axis: number): fc.Arbitrary<number> =>
      fc.oneof(
        fc.double({ min: voxelOffset[axis] - 1, max: voxelOffset[axis] + size[axis] + 1, noNaN: true }),
        fc
          .integer({ min: 2 * voxelOffset[axis] - 2, max: 2 * (voxelOffset[axis] + size[axis]) + 2 })
          .map((halves) => halves / 2),
      );
    const points = fc.array(fc.tuple(along(0), along(1), along(2)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(points, async (places) => {
        const { values, status } = await volume.scatteredPoints(places, { interpolate: 'linear' });
        for (const [i, place] of places.entries())
          for (let c = 0; c < channels; c++) {
            const at = ([x, y, z]: Vec3): number => valueOf(x, y, z, c);
            const expected = naive(place, at);
            const found = Number(values[i * channels + c]);
            if (expected === undefined) expect([status[i], found]).toEqual([outOfBounds, 0]);
            else {
              expect(status[i]).toBe(ok);
              const scale = naive(place, (voxel) => Math.abs(at(voxel)))!;
              expect(Math.abs(found - expected)).toBeLessThanOrEqual(scale * 2 ** -49);
            }
          }
      }),
      { seed: 17, numRuns: 20 },
    );
    await volume.close();
  });
});

const scale = {
  key: 's',
  resolution: [8, 8, 40],
  size: [6, 4, 2],
  voxel_offset: [10, 0, 0],
  chunk_sizes: [[2, 2, 2]],
  encoding: 'raw',
};
/** The value of the voxel (10 + x, y, z). */
const valueOf = (x: number, y: number, z: number): number => 1 + x + 10 * y + 50 * z;

/** The eight values of a chunk of float32. */
function chunkAt(key: string, replaced: (value: number) => number = (value) => value): Uint8Array {
  const [x, y] = /s\/(\d+)-\d+_(\d+)/.exec(key)!.slice(1).map(Number);
  const values = Float32Array.from({ length: 8 }, (_, k) =>
    replaced(valueOf(x - 10 + (k & 1), y + ((k >> 1) & 1), k >> 2)),
  );
  return new Uint8Array(values.buffer);
}

function readerOf(
  store: StubStore,
  options: Partial<PointReaderOptions> = {},
  info: object = {},
): PointReader {
  return new PointReader({
    info: parseInfo(
      { type: 'image', data_type: 'float32', num_channels: 1, scales: [scale], ...info },
      store.url,
    ),
    store,
    infoWasRead: true,
    ...options,
  });
}
const read = (
  points: PointInput,
  store: StubStore,
  options: Partial<PointQuery> = {},
): ReturnType<PointReader['read']> =>
  readerOf(store).read(points, { mip: 0, interpolate: 'linear', ...options });

describe('readLinear', () => {
  test('reads both chunks at a border, each once, and no voxel of weight 0', async () => {
    const store = new StubStore((key) => chunkAt(key));
    // Across x = 12, twice; then the centre of a voxel beside the border, which needs its own chunk only.
    const points = [
      [12, 0.5, 0.5],
      [11.75, 0.5, 1.5],
      [14.5, 1.5, 0.5],
    ];
    const { values, status, stats } = await read(points, store);
    expect([...values]).toEqual([
      (valueOf(1, 0, 0) + valueOf(2, 0, 0)) / 2,
      0.75 * valueOf(1, 0, 1) + 0.25 * valueOf(2, 0, 1),
      valueOf(4, 1, 0),
    ]);
    expect([...status]).toEqual([ok, ok, ok]);
    expect(store.keys.sort()).toEqual(['s/10-12_0-2_0-2', 's/12-14_0-2_0-2', 's/14-16_0-2_0-2']);
    expect(stats).toMatchObject({ points: 3, chunks: 3, requests: 3 });
  });

  test('reads a coordinate of an integer type at the centre of its voxel', async () => {
    const store = new StubStore((key) => chunkAt(key));
    const forms: PointInput[] = [
      Int32Array.of(12, 3, 1),
      BigInt64Array.of(12n, 3n, 1n),
      [[12n, 3n, 1n]],
      [Uint8Array.of(12, 3, 1)],
      { x: Int16Array.of(12), y: [3n], z: Float32Array.of(1.5) },
      { x: [12.5], y: Uint32Array.of(3), z: [1n] },
      [[12.5, 3.5, 1.5]],
      Float32Array.of(12.5, 3.5, 1.5),
    ];
    for (const form of forms) expect([...(await read(form, store)).values]).toEqual([valueOf(2, 3, 1)]);
    // A number has no integer type: 12 is the border between two voxels.
    expect([...(await read([[12, 3.5, 1.5]], store)).values]).toEqual([valueOf(1.5, 3, 1)]);
    const borrowed = await readerOf(store).read(
      { x: Int32Array.of(12), y: Int32Array.of(3), z: Int8Array.of(1) },
      { mip: 0, interpolate: 'linear' },
    );
    expect([...borrowed.values]).toEqual([valueOf(2, 3, 1)]);
  });

  test('takes an integer in another unit for a voxel of that unit', async () => {
    const store = new StubStore((key) => chunkAt(key));
    // The voxel 24 of 4 nm goes from 96 to 100 nm; its centre is at 98 nm, which is 12.25 voxels of 8 nm.
    const { values } = await read(Int32Array.of(24, 1, 0), store, { resolution: [4, 12, 40] });
    expect([...values]).toEqual([0.25 * valueOf(1, 0, 0) + 0.75 * valueOf(2, 0, 0) + 10 * 1.75]);
  });

  test('says why a point has no value: outside, not a point, not stored, or failed', async () => {
    const store = new StubStore((key) => {
      if (key === 's/12-14_0-2_0-2') return undefined;
      if (key === 's/12-14_2-4_0-2')
        throw new RequestError('HTTP_STATUS', 'answered 500', `https://bucket.example/volume/${key}`, 500);
      return chunkAt(key);
    });
    const points = [
      [10.25, 1, 1], // needs a voxel before the first
      [15.75, 1, 1],
      [11, 3.75, 1],
      [11, 1, NaN],
      [11, Infinity, 1],
      [12, 1, 1], // one of two chunks is not stored
      [12, 2.5, 1], // one of two chunks fails
      [12.5, 2, 1], // one chunk is not stored, the other fails
      [11, 1, 1],
    ];
    const { values, status, failures } = await read(points, store);
    expect([...status]).toEqual([
      outOfBounds,
      outOfBounds,
      outOfBounds,
      invalidPoint,
      invalidPoint,
      missingChunk,
      failed,
      failed,
      ok,
    ]);
    expect([...values]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, valueOf(0.5, 0.5, 0.5)]);
    for (const index of [6, 7])
      expect(errorOfPoint(failures, index)).toMatchObject({
        code: 'CHUNK_FAILED',
        url: 'https://bucket.example/volume/s/12-14_2-4_0-2',
      });
    expect(failures.map(({ points: concerned }) => [...concerned!])).toEqual([[6, 7]]);
  });

  test('follows IEEE for values that are not finite, and leaves out those of weight 0', async () => {
    const special = new Map([
      [valueOf(0, 0, 0), NaN],
      [valueOf(1, 0, 0), Infinity],
      [valueOf(2, 0, 0), -Infinity],
      [valueOf(4, 0, 0), Infinity],
      [valueOf(5, 0, 0), Infinity],
    ]);
    const store = new StubStore((key) => chunkAt(key, (value) => special.get(value) ?? value));
    const at = (x: number): number[] => [x, 0.5, 0.5];
    const { values, status } = await read(
      [at(10.5), at(11), at(11.5), at(12), at(12.75), at(13.5), at(15)],
      store,
    );
    expect([...values]).toEqual([NaN, NaN, Infinity, NaN, -Infinity, valueOf(3, 0, 0), Infinity]);
    expect([...status]).toEqual(Array(7).fill(ok));
  });

  test('gives a constant exactly, and the last voxel of an axis at its centre', async () => {
    const store = new StubStore((key) => chunkAt(key, () => Math.fround(0.1)));
    const { values } = await read([[11.3, 1.7, 0.9], [15.5, 3.5, 1.5], [10.5, 0.5, 0.5]], store); // prettier-ignore
    expect([...values]).toEqual(Array(3).fill(Math.fround(0.1)));
  });

  test('keeps the values so far when the deadline comes', async () => {
    const abort = new AbortController();
    const store = new StubStore((key, { signal }) => {
      if (key === 's/10-12_0-2_0-2') return chunkAt(key);
      return new Promise((_, reject) =>
        signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
      );
    });
    const { values, status, failures } = await read(
      [
        [11, 1, 1],
        [12, 1, 1],
      ],
      store,
      { signal: abort.signal, onProgress: () => abort.abort(new DeadlineError(50)) },
    );
    expect([...status]).toEqual([ok, failed]);
    expect([...values]).toEqual([valueOf(0.5, 0.5, 0.5), 0]);
    expect(errorOfPoint(failures, 1)?.cause).toBeInstanceOf(DeadlineError);
  });

  test('refuses a segmentation and says why, and does not snap', async () => {
    const store = new StubStore((key) => chunkAt(key));
    const segmentation = readerOf(store, {}, { type: 'segmentation', data_type: 'uint32' });
    const query = { mip: 0, interpolate: 'linear' } as const;
    await expect(segmentation.read([[11, 1, 1]], query)).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringContaining('the mean of two IDs is the ID of something else') as unknown,
    });
    const floats = readerOf(store, {}, { type: 'segmentation' });
    expect([...(await floats.read([[12, 0.5, 0.5]], query)).values]).toEqual([valueOf(1.5, 0, 0)]);
    await expect(floats.read([[11, 1, 1]], { ...query, snapNm: 10 })).rejects.toThrow(TypeError);
    expect(store.keys.length).toBe(2);
  });

  test('is refused by a graph, also for one point', async () => {
    const fixture = loadFixture('graphene_cseg_u64');
    const graph = createMockChunkedGraph({
      ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
      dataDir: '{HOST}/bucket',
    });
    const served = await serveMocks({
      '/segmentation': graph,
      '/bucket': createMockBucket({ folder: fixture.folder }),
    });
    const volume = await openGraphene(`graphene://${served.url}/segmentation/table/mock`);
    await expect(volume.scatteredPoints([[1, 1, 1]], { interpolate: 'linear' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(volume.rootAt([1, 1, 1], { interpolate: 'linear' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await volume.close();
    await served.close();
  });
});
