/**
 * Partial reads of large uncompressed chunks: how many bytes and requests they take, and that they equal
 * whole reads.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RequestError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { PointValues } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { bytesPerValue, DATA_TYPES, type DataType } from '../../lib/precomputed/data-type.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { clipRange } from '../../lib/storage/keys.ts';
import type { ReadOptions, StoredObject } from '../../lib/storage/store.ts';
import { seeded } from '../../testing/random.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';
import { rounds } from '../support/rounds.ts';

interface Volume {
  dataType: DataType;
  channels: number;
  chunkSize: Vec3;
  /** Number of chunks along x. */
  chunks: number;
}

/** Chunks of 2 MiB. */
const LABELS: Volume = { dataType: 'uint64', channels: 1, chunkSize: [64, 64, 64], chunks: 40 };
const WHOLE = 2 ** 21;

const keyOf = ({ chunkSize: [x, y, z] }: Volume, chunk: number): string =>
  `s0/${chunk * x}-${(chunk + 1) * x}_0-${y}_0-${z}`;
const voxelsOf = ({ chunkSize }: Volume): number => chunkSize[0] * chunkSize[1] * chunkSize[2];

const NOISE = ((): Uint8Array => {
  const words = new Uint32Array(2 ** 20),
    { imul } = Math;
  for (let k = 0; k < words.length; k++) words[k] = imul(k + 1, 0x9e3779b1) ^ (k >>> 3);
  return new Uint8Array(words.buffer);
})();

/** Bytes of a chunk of a volume. */
const noise = (volume: Volume, chunk: number): Uint8Array =>
  NOISE.subarray(chunk * 8008).subarray(
    0,
    voxelsOf(volume) * volume.channels * bytesPerValue(volume.dataType),
  );

/** The answer of a server that supports ranges. */
function part(bytes: Uint8Array, range: ReadOptions['range'], contentEncoding?: string): StoredObject {
  if (!range) return { bytes, contentEncoding };
  const got = clipRange('u', range, bytes.byteLength);
  return {
    bytes: bytes.slice(got.start, got.end),
    contentEncoding,
    range: got,
    totalBytes: bytes.byteLength,
  };
}

/** A store of the volume's chunks, whose objects are created by `stored`. */
const storeOf = (
  volume: Volume,
  stored: (
    chunk: Uint8Array,
    options: ReadOptions,
    index: number,
  ) => StoredObject | undefined | Promise<StoredObject | undefined> = (chunk, { range }) =>
    part(chunk, range),
): StubStore => {
  const cells = new Map(Array.from({ length: volume.chunks }, (_, k) => [keyOf(volume, k), k]));
  return new StubStore((key, options) => stored(noise(volume, cells.get(key)!), options, cells.get(key)!));
};

function readerOf(volume: Volume, store: StubStore, options: Partial<PointReaderOptions> = {}): PointReader {
  const { dataType, channels, chunkSize, chunks } = volume;
  const scale = {
    key: 's0',
    encoding: 'raw',
    resolution: [1, 1, 1],
    size: [chunkSize[0] * chunks, chunkSize[1], chunkSize[2]],
    chunk_sizes: [chunkSize],
  };
  return new PointReader({
    info: parseInfo(
      { type: 'image', data_type: dataType, num_channels: channels, scales: [scale] },
      store.url,
    ),
    store,
    infoWasRead: true,
    ...options,
  });
}

/** Points of one chunk at these linear offsets. */
const pointsAt = ({ chunkSize: [x, y] }: Volume, chunk: number, ...offsets: number[]): number[][] =>
  offsets.map((offset) => [
    chunk * x + (offset % x),
    Math.floor(offset / x) % y,
    Math.floor(offset / (x * y)),
  ]);

const labelAt = (chunk: number, offset: number): bigint =>
  new DataView(NOISE.buffer).getBigUint64(8008 * chunk + 8 * offset, true);
const read = (reader: PointReader, points: number[][]): Promise<PointValues> =>
  reader.read(points, { mip: 0 });
/** The requests: a range as "start-end", a request without a range as "whole". */
const requestsOf = (store: StubStore): string[] =>
  store.reads.map(({ range }) => (range ? `${range.start}-${range.end}` : 'whole'));
const gzipped = (chunk: Uint8Array, { range }: ReadOptions): StoredObject =>
  part(gzipSync(chunk, { level: 0 }), range, 'gzip');
/** The beginning of a chunk, which is requested while nothing is known about the bucket. */
const TRIAL = '0-262144';
const FAR = [50_000, 100_000, 262_143]; // three values too far apart for one read

describe('few points of a large raw chunk', () => {
  test('cost the bytes of their values, after a first trial', async () => {
    const store = storeOf(LABELS);
    const { values, stats } = await read(readerOf(LABELS, store), pointsAt(LABELS, 0, ...FAR));
    expect(values).toEqual(BigUint64Array.from(FAR, (offset) => labelAt(0, offset)));
    expect(requestsOf(store)).toEqual([TRIAL, '400000-400008', '800000-800008', '2097144-2097152']);
    expect(stats).toMatchObject({ chunks: 1, requests: 4, bytes: 262_144 + 24 });
  });

  test('cost only the bytes of their values once a chunk is known to be uncompressed', async () => {
    const store = storeOf(LABELS),
      reader = readerOf(LABELS, store);
    await read(reader, pointsAt(LABELS, 3, 7));
    const { values, stats } = await read(reader, pointsAt(LABELS, 1, ...FAR));
    expect(values).toEqual(BigUint64Array.from(FAR, (offset) => labelAt(1, offset)));
    expect(requestsOf(store)).toEqual([TRIAL, '400000-400008', '800000-800008', '2097144-2097152']);
    expect(stats).toMatchObject({ chunks: 1, requests: 3, bytes: 24 });
  });

  test.each<[name: string, offsets: number[], options: Partial<PointReaderOptions>, requests: number]>([
    ['in one read when they are close together', [40_000, 40_000, 40_001, 49_000], {}, 2],
    ['with the whole chunk when separate requests would cost more', [...FAR, 150_000], {}, 1],
    [
      'with the whole chunk when they are many, even close together',
      Array.from({ length: 33 }, (_, k) => k),
      {},
      1,
    ],
    ['with the whole chunk with lruBytes', [5], { lruBytes: 1000 }, 1],
    ['with the whole chunk with rangeReads: false', FAR, { rangeReads: false }, 1],
  ])('are read %s', async (name, offsets, options, requests) => {
    const store = storeOf(LABELS);
    const { values, stats } = await read(readerOf(LABELS, store, options), pointsAt(LABELS, 1, ...offsets));
    expect(values).toEqual(BigUint64Array.from(offsets, (offset) => labelAt(1, offset)));
    expect(stats).toMatchObject({ requests, bytes: name.includes('whole') ? WHOLE : 262_144 + 9001 * 8 });
  });

  test('in many chunks are read in parallel, and chunks in the queue need no trial of their own', async () => {
    const store = storeOf(LABELS);
    const points = Array.from({ length: 40 }, (_, k) => pointsAt(LABELS, k, 100_000 + k)).flat();
    const { values, stats } = await read(readerOf(LABELS, store, { concurrency: 5 }), points);
    expect(values).toEqual(BigUint64Array.from({ length: 40 }, (_, k) => labelAt(k, 100_000 + k)));
    expect(stats).toMatchObject({ requests: 45, bytes: 5 * 262_144 + 40 * 8 });
  });

  // A chunk with more than a few points still takes one request.
  test('do not change reads of many points: one request per chunk', async () => {
    const store = storeOf(LABELS),
      random = seeded(3);
    const points = Array.from({ length: 4000 }, (_, k) =>
      pointsAt(LABELS, k % 40, random.below(262_144)),
    ).flat();
    expect((await read(readerOf(LABELS, store), points)).stats).toMatchObject({
      requests: 40,
      bytes: 40 * WHOLE,
    });
  });

  test('give the same values as whole chunks, for any type, shape, channels and points', async () => {
    const cases = fc.record({
      dataType: fc.constantFrom(...(Object.keys(DATA_TYPES) as DataType[])),
      channels: fc.integer({ min: 1, max: 3 }),
      y: fc.integer({ min: 61, max: 90 }),
      z: fc.integer({ min: 50, max: 80 }),
      points: fc.array(fc.tuple(fc.nat({ max: 1 }), fc.nat()), { minLength: 1, maxLength: 12 }),
    });
    let inParts = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ({ dataType, channels, y, z, points }) => {
        // Always above 1 MiB, and never a round size.
        const volume: Volume = {
          dataType,
          channels,
          chunks: 2,
          chunkSize: [Math.ceil(2 ** 21 / (y * z * channels * bytesPerValue(dataType))) + 1, y, z],
        };
        const places = points.flatMap(([chunk, at]) => pointsAt(volume, chunk, at % voxelsOf(volume)));
        const store = storeOf(volume);
        const parts = await read(readerOf(volume, store), places);
        const whole = await read(readerOf(volume, storeOf(volume), { rangeReads: false }), places);
        expect([parts.values, parts.status]).toEqual([whole.values, whole.status]);
        expect(parts.stats.bytes).toBeLessThanOrEqual(whole.stats.bytes);
        if (store.reads.some(({ range }) => range)) inParts++;
      }),
      { numRuns: rounds(20), seed: 11 },
    );
    expect(inParts).toBeGreaterThan(rounds(6));
  });

  test('are missing after one request when their chunk is not stored', async () => {
    const store = storeOf(LABELS, () => undefined);
    const { status, stats } = await read(readerOf(LABELS, store), pointsAt(LABELS, 0, ...FAR));
    expect([[...status], stats.requests]).toEqual([Array(3).fill(PointStatus.missingChunk), 1]);
  });

  test('fail with a ChunkError when their request fails', async () => {
    const store = storeOf(LABELS, () => {
      throw new RequestError('HTTP_STATUS', 'answered 500', 'u', 500);
    });
    const { status, failures } = await read(readerOf(LABELS, store), pointsAt(LABELS, 0, 1, 2));
    expect([...status]).toEqual([PointStatus.failed, PointStatus.failed]);
    expect(failures[0].error).toMatchObject({
      code: 'CHUNK_FAILED',
      cause: expect.objectContaining({ code: 'HTTP_STATUS', status: 500 }),
    });
  });
});

describe('chunks that cannot be read in parts', () => {
  const refuse = (range: ReadOptions['range']): void => {
    if (range) throw new RequestError('BAD_RESPONSE', 'requested some bytes, got others', 'u', 206);
  };
  test.each<
    [name: string, stored: (chunk: Uint8Array, options: ReadOptions) => StoredObject, first: string[]]
  >([
    ['a compressed object', gzipped, [TRIAL, 'whole']],
    [
      'a compressed object without a Content-Encoding',
      (chunk, { range }) => part(gzipSync(chunk, { level: 0 }), range),
      [TRIAL, 'whole'],
    ],
    ['a server that ignores ranges', (chunk) => part(chunk, undefined), [TRIAL]],
    ['a server that ignores ranges, and a compressed object', (chunk) => gzipped(chunk, {}), [TRIAL]],
    [
      'a server that answers ranges wrongly',
      (chunk, { range }) => (refuse(range), part(chunk, range)),
      [TRIAL, 'whole'],
    ],
    [
      'a server that returns other bytes',
      (chunk, { range }) => part(chunk, range && { start: range.start + 8, end: range.end + 8 }),
      [TRIAL, 'whole'],
    ],
    [
      'a server that does not tell the size of the object',
      (chunk, { range }) => ({ ...part(chunk, range), totalBytes: undefined }),
      [TRIAL, 'whole'],
    ],
  ])('are tried once in parts: %s', async (_name, stored, first) => {
    const store = storeOf(LABELS, stored),
      reader = readerOf(LABELS, store);
    const offsets = FAR.slice(0, 2);
    expect((await read(reader, pointsAt(LABELS, 0, ...offsets))).values).toEqual(
      BigUint64Array.from(offsets, (offset) => labelAt(0, offset)),
    );
    expect(requestsOf(store)).toEqual(first);
    const { values } = await read(
      reader,
      [3, 1, 2].flatMap((chunk) => pointsAt(LABELS, chunk, 9)),
    );
    expect(values).toEqual(BigUint64Array.of(labelAt(3, 9), labelAt(1, 9), labelAt(2, 9)));
    expect(requestsOf(store).slice(first.length)).toEqual(['whole', 'whole', 'whole']);
  });

  test.each([
    ['announced', 'gzip'],
    ['not announced', undefined],
  ])(
    'cost one request each when the trial returns the whole compressed object: Content-Encoding %s',
    async (_name, contentEncoding) => {
      const store = storeOf(LABELS, (chunk, { range }, index) =>
        part(gzipSync(chunk.slice().fill(index)), range, contentEncoding),
      );
      const { values, stats } = await read(
        readerOf(LABELS, store),
        [1, 2, 3].flatMap((chunk) => pointsAt(LABELS, chunk, 100_000)),
      );
      expect([...values]).toEqual([0x0101010101010101n, 0x0202020202020202n, 0x0303030303030303n]);
      expect(stats).toMatchObject({
        requests: 3,
        bytes: store.reads.length * gzipSync(new Uint8Array(WHOLE).fill(1)).length,
      });
    },
  );

  test('are not tried in parts when a chunk read whole was compressed', async () => {
    const store = storeOf(LABELS, gzipped),
      reader = readerOf(LABELS, store);
    await read(reader, pointsAt(LABELS, 0, ...FAR, 150_000));
    await read(reader, pointsAt(LABELS, 1, 5));
    expect(requestsOf(store)).toEqual(['whole', 'whole']);
  });

  test('are read whole from the first compressed chunk on, even if earlier chunks were uncompressed', async () => {
    const store = storeOf(LABELS, (chunk, options, index) =>
      index === 1 ? gzipped(chunk, options) : part(chunk, options.range),
    );
    const reader = readerOf(LABELS, store);
    for (const chunk of [0, 1, 2])
      expect((await read(reader, pointsAt(LABELS, chunk, 3))).values).toEqual(
        BigUint64Array.of(labelAt(chunk, 3)),
      );
    expect(requestsOf(store)).toEqual([TRIAL, '24-32', 'whole', 'whole']);
  });

  test.each([
    { name: 'slightly shorter', bytes: WHOLE - 8, offset: 5 },
    { name: 'ending before the value', bytes: 1000, offset: 5000 },
    { name: 'longer', bytes: WHOLE + 8, offset: 5 },
    { name: 'empty', bytes: 0, offset: 0 },
  ])('fail with WRONG_SIZE and give no value: $name', async ({ bytes, offset }) => {
    const store = storeOf(LABELS, (_chunk, { range }) => part(new Uint8Array(bytes).fill(7), range));
    const { values, failures } = await read(readerOf(LABELS, store), pointsAt(LABELS, 0, offset));
    expect(values).toEqual(BigUint64Array.of(0n));
    expect(failures[0].error.cause).toMatchObject({ name: 'DecodeError', code: 'WRONG_SIZE' });
  });
});

describe('callers that share a chunk', () => {
  const gated = (
    stored: (chunk: Uint8Array, options: ReadOptions) => StoredObject = (chunk, { range }) =>
      part(chunk, range),
  ) => {
    const gate = deferred<void>();
    const store = storeOf(LABELS, async (chunk, options) => (await gate.promise, stored(chunk, options)));
    return { store, reader: readerOf(LABELS, store), open: () => gate.resolve() };
  };

  test('share its parts when they call in the same tick', async () => {
    const store = storeOf(LABELS),
      reader = readerOf(LABELS, store);
    const answers = await Promise.all(
      [100_000, 200_000, 100_001].map((offset) => read(reader, pointsAt(LABELS, 0, offset))),
    );
    expect(answers.map(({ values }) => values[0])).toEqual(
      [100_000, 200_000, 100_001].map((offset) => labelAt(0, offset)),
    );
    expect(requestsOf(store)).toEqual([TRIAL, '800000-800016', '1600000-1600008']);
  });

  test.each([
    { name: 'other parts', late: [9, 200_000], then: ['72-80', '1600000-1600008'] },
    { name: 'the whole chunk', late: Array.from({ length: 40 }, (_, k) => k), then: ['whole'] },
  ])('cause a read of $name when they join while parts are read', async ({ late, then }) => {
    const { store, reader, open } = gated();
    const early = read(reader, pointsAt(LABELS, 0, 5));
    await nextTurn();
    const joined = read(reader, pointsAt(LABELS, 0, ...late));
    await nextTurn();
    open();
    expect((await early).values).toEqual(BigUint64Array.of(labelAt(0, 5)));
    expect((await joined).values).toEqual(BigUint64Array.from(late, (offset) => labelAt(0, offset)));
    expect(requestsOf(store)).toEqual([TRIAL, ...then]);
  });

  test('share the whole chunk when they join a trial that fails', async () => {
    const { store, reader, open } = gated(gzipped);
    const early = read(reader, pointsAt(LABELS, 0, 5));
    await nextTurn();
    const joined = read(reader, pointsAt(LABELS, 0, 9));
    open();
    expect([(await early).values[0], (await joined).values[0]]).toEqual([labelAt(0, 5), labelAt(0, 9)]);
    expect(requestsOf(store)).toEqual([TRIAL, 'whole']);
  });

  test('do not disturb the other callers when they abort while parts are read', async () => {
    const { store, reader, open } = gated();
    const leaving = new AbortController();
    const left = reader.read(pointsAt(LABELS, 0, 5), { mip: 0, signal: leaving.signal });
    const stays = read(reader, pointsAt(LABELS, 0, 6));
    await nextTurn();
    const joined = read(reader, pointsAt(LABELS, 0, 9));
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    open();
    expect([(await stays).values[0], (await joined).values[0]]).toEqual([labelAt(0, 6), labelAt(0, 9)]);
    expect(requestsOf(store)).toEqual([TRIAL, '72-80']);
  });

  test('abort the read when the last of them aborts', async () => {
    const { store, reader } = gated();
    const leaving = new AbortController();
    const left = reader.read(pointsAt(LABELS, 0, 5), { mip: 0, signal: leaving.signal });
    await nextTurn();
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect(store.reads.map(({ signal }) => signal!.aborted)).toEqual([true]);
  });
});
