import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { DecodeError, RequestError } from '../../lib/base/errors.ts';
import type { StoredChunk } from '../../lib/chunks/chunk-source.ts';
import { UnshardedSource } from '../../lib/chunks/unsharded-source.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { decompress } from '../../lib/compression/decompress.ts';
import { cellSize } from '../../lib/precomputed/grid.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
import { newMeter } from '../../lib/storage/store.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';

const scale: Scale = {
  mip: 0,
  key: '8_8_40',
  resolution: [8, 8, 40],
  size: [100, 64, 20],
  voxelOffset: [-10, 0, 7],
  chunkSize: [64, 64, 16],
  encoding: 'raw',
};

function sourceOf(
  store: StubStore,
  { codec = rawCodec, infoWasRead = true }: { codec?: Codec; infoWasRead?: boolean } = {},
): UnshardedSource {
  const layoutOf = (cell: number) => ({
    chunkSize: cellSize(scale, cell),
    channels: 2,
    dataType: 'uint16' as const,
  });
  return new UnshardedSource({ store, scale, codec, layoutOf, infoWasRead });
}

/** Runs the only task of a cell and inflates what it delivers. */
async function read(
  source: UnshardedSource,
  cell = 0,
  meter = newMeter(),
  signal = new AbortController().signal,
): Promise<Uint8Array | undefined> {
  const [task, ...others] = source.plan([cell]);
  expect([task.cells, others]).toEqual([[cell], []]);
  const delivered: (StoredChunk | undefined)[] = [];
  await task.run({
    signal,
    meter,
    wanted: new Map(),
    deliver: async (_, chunk) => void delivered.push(chunk),
    deliverParts: () => undefined,
    fail: () => undefined,
  });
  expect(delivered).toHaveLength(1);
  const [chunk] = delivered;
  return chunk && decompress(chunk.bytes, chunk.contentEncoding, chunk);
}

const forbidden = (key: string): RequestError =>
  new RequestError('HTTP_STATUS', 'answered 403', `https://bucket.example/volume/${key}`, 403);

/**
 * A public bucket that does not allow listing: it answers 403 for missing keys, which `absentBy403` turns
 * into "not found".
 */
const bucket = (info: () => Uint8Array | undefined | Promise<Uint8Array | undefined>): StubStore =>
  new StubStore((key, { absentBy403 }) => {
    if (key === 'info') return info();
    if (absentBy403) return undefined;
    throw forbidden(key);
  });

describe('UnshardedSource', () => {
  test('names chunks by their bounds, with the key of the scale', () => {
    const source = sourceOf(new StubStore(() => undefined));
    expect(source.id).toBe('https://bucket.example/volume/8_8_40');
    expect([0, 1, 2, 3].map((cell) => source.urlOf(cell))).toEqual([
      'https://bucket.example/volume/8_8_40/-10-54_0-64_7-23',
      'https://bucket.example/volume/8_8_40/54-90_0-64_7-23',
      'https://bucket.example/volume/8_8_40/-10-54_0-64_23-27',
      'https://bucket.example/volume/8_8_40/54-90_0-64_23-27',
    ]);
  });

  test('reads one object, with the signal, the meter and a limit from the chunk shape', async () => {
    const bytes = new Uint8Array(36 * 64 * 4 * 4).fill(3),
      store = new StubStore(() => bytes);
    const meter = newMeter(),
      { signal } = new AbortController();
    expect(await read(sourceOf(store), 3, meter, signal)).toEqual(bytes);
    expect(store.reads).toEqual([
      {
        key: '8_8_40/54-90_0-64_23-27',
        signal,
        meter,
        absentBy403: true,
        maxBytes: Math.ceil(bytes.length * 1.01) + 65_536,
      },
    ]);
    expect(meter).toEqual({ requests: 1, bytes: bytes.length, absentBy403: 0 });
  });

  test('uses the limit of the codec if the size varies', async () => {
    const store = new StubStore(() => undefined);
    await read(sourceOf(store, { codec: { ...rawCodec, exactBytes: undefined, maxBytes: () => 1000 } }));
    expect(store.reads[0].maxBytes).toBe(1010 + 65_536);
  });

  test('undoes the content encoding once', async () => {
    const bytes = new Uint8Array(64 * 64 * 16 * 4).fill(9);
    const store = new StubStore(() => ({ bytes: gzipSync(bytes), contentEncoding: 'gzip' }));
    expect(await read(sourceOf(store))).toEqual(bytes);
  });

  test.each<[name: string, object: { bytes: Uint8Array; contentEncoding: string }, code: string]>([
    [
      'a cut bitstream',
      { bytes: gzipSync(new Uint8Array(64 * 64 * 16 * 4)).subarray(0, 30), contentEncoding: 'gzip' },
      'TRUNCATED',
    ],
    [
      'bytes that are not compressed',
      { bytes: Uint8Array.of(1, 2, 3), contentEncoding: 'gzip' },
      'BAD_BITSTREAM',
    ],
    [
      'more than the chunk can hold',
      { bytes: gzipSync(new Uint8Array(64 * 64 * 16 * 4 + 1)), contentEncoding: 'gzip' },
      'TOO_LARGE',
    ],
    ['an unknown encoding', { bytes: Uint8Array.of(1), contentEncoding: 'rot13' }, 'UNSUPPORTED'],
  ])('fails for %s', async (_name, object, code) => {
    const failed = read(sourceOf(new StubStore(() => object)));
    await expect(failed).rejects.toBeInstanceOf(DecodeError);
    await expect(failed).rejects.toMatchObject({ code });
  });

  test('returns undefined for a chunk that is not stored', async () =>
    expect(await read(sourceOf(new StubStore(() => undefined)))).toBeUndefined());

  test('passes on every failure except 403, without reading the info', async () => {
    const error = new RequestError('HTTP_STATUS', 'answered 500', 'u', 500);
    const store = new StubStore(() => {
      throw error;
    });
    await expect(read(sourceOf(store, { infoWasRead: false }))).rejects.toBe(error);
    expect(store.keys).toEqual(['8_8_40/-10-54_0-64_7-23']);
  });
});

describe('a 403 for a chunk', () => {
  const info = Uint8Array.of(0x7b, 0x7d);
  const [first, second] = ['8_8_40/-10-54_0-64_7-23', '8_8_40/54-90_0-64_7-23'];

  test('is left to the store if the info was read', async () => {
    const store = bucket(() => info);
    expect(await read(sourceOf(store))).toBeUndefined();
    expect(store.keys).toEqual([first]);
  });

  test('is decided by one read of the info if it was not read before, also for later chunks', async () => {
    const store = bucket(() => info),
      source = sourceOf(store, { infoWasRead: false }),
      meter = newMeter();
    expect(await read(source, 0, meter)).toBeUndefined();
    expect(store.keys).toEqual([first, 'info', first]);
    expect(meter.requests).toBe(3);
    expect(await read(source, 1)).toBeUndefined();
    expect(store.keys).toEqual([first, 'info', first, second]);
    expect(store.reads.map(({ absentBy403 }) => absentBy403)).toEqual([undefined, undefined, true, true]);
  });

  // All chunks in flight get their 403 before the info comes.
  test('means not found for all chunks that were read together, after one read of the info', async () => {
    const gate = deferred<Uint8Array>(),
      store = bucket(() => gate.promise),
      source = sourceOf(store, { infoWasRead: false });
    const reads = [0, 1, 2, 3].map((cell) => read(source, cell));
    await nextTurn();
    gate.resolve(info);
    expect(await Promise.all(reads)).toEqual([undefined, undefined, undefined, undefined]);
    expect(store.keys.filter((key) => key === 'info')).toEqual(['info']);
  });

  test('is a failure if the info is missing', async () => {
    const store = bucket(() => undefined),
      source = sourceOf(store, { infoWasRead: false });
    await expect(read(source)).rejects.toMatchObject({
      code: 'HTTP_STATUS',
      status: 403,
      url: `https://bucket.example/volume/${first}`,
    });
    await expect(read(source, 1)).rejects.toMatchObject({
      status: 403,
      url: `https://bucket.example/volume/${second}`,
    });
    expect(store.keys).toEqual([first, 'info', second]);
  });

  test('is a failure if the info is forbidden too, which is read once', async () => {
    const store = bucket(() => {
      throw forbidden('info');
    });
    const source = sourceOf(store, { infoWasRead: false });
    for (const cell of [0, 1]) await expect(read(source, cell)).rejects.toMatchObject({ status: 403 });
    expect(store.keys).toEqual([first, 'info', second]);
  });

  test('is a failure while the info fails otherwise, and the next 403 reads the info again', async () => {
    let broken = true;
    const store = bucket(() => {
      if (broken) throw new RequestError('TIMEOUT', 'no answer', 'u');
      return info;
    });
    const source = sourceOf(store, { infoWasRead: false });
    await expect(read(source)).rejects.toMatchObject({ status: 403 });
    broken = false;
    expect(await read(source)).toBeUndefined();
    expect(store.keys).toEqual([first, 'info', first, 'info', first]);
  });

  test('is a failure if a store with credentials throws it', async () => {
    const store = new StubStore((key) => {
      if (key === 'info') return info;
      throw forbidden(key);
    });
    await expect(read(sourceOf(store))).rejects.toMatchObject({ status: 403 });
    expect(store.keys).toEqual([first]);
  });
});
