/** Encodings that are read from the beginning of a chunk, and the memory cache that keeps them decoded. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause, type PausableWork } from '../../lib/base/cooperative-work.ts';
import type { DiskCache } from '../../lib/cache/disk-cache.ts';
import type { LruEncoding } from '../../lib/chunks/cache-options.ts';
import { ChunkDiskCache } from '../../lib/chunks/chunk-disk-cache.ts';
import { ChunkReader, type ChunkConsumer } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource } from '../../lib/chunks/chunk-source.ts';
import { diskCachedSource } from '../../lib/chunks/disk-cached-source.ts';
import { reencodingSource } from '../../lib/chunks/reencoding-source.ts';
import { UnshardedSource } from '../../lib/chunks/unsharded-source.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
import { createRunLengthCodec } from '../support/run-length-codec.ts';
import { alwaysDue } from '../support/runners.ts';
import { StubStore } from '../support/stub-store.ts';

const scale: Scale = {
  mip: 0,
  key: 's',
  resolution: [1, 1, 1],
  size: [4, 2, 1],
  voxelOffset: [0, 0, 0],
  chunkSize: [4, 2, 1],
  encoding: 'runs',
};
const layoutOf = () => ({ chunkSize: [4, 2, 1] as const, channels: 1, dataType: 'uint8' as const });

/** Receives the value of one voxel and the encoding it came in, or the error. */
class Voxel implements ChunkConsumer {
  value: number | undefined;
  encoding: string | undefined;
  failure: Error | undefined;
  constructor(
    readonly codec: Codec,
    readonly offset: number,
  ) {}
  *receive(_: number, bytes: Uint8Array | undefined, codec: Codec = this.codec): PausableWork {
    const out = new Uint8Array(1);
    const work = codec.decodePoints(bytes!, layoutOf(), Uint32Array.of(this.offset), out, Uint32Array.of(0));
    if (work) yield* work;
    this.encoding = codec.encoding;
    this.value = out[0];
  }
  done(): void {}
  fail(_: number, { cause }: Error): void {
    this.failure = cause as Error;
  }
}

/** Eight voxels: 7 7 7 9 9 9 9 9. */
const RUNS = Uint8Array.of(3, 7, 5, 9);

function open(lruEncoding: LruEncoding, stored = RUNS) {
  const codec = createRunLengthCodec(),
    store = new StubStore(() => ({ bytes: gzipSync(stored), contentEncoding: 'gzip' })),
    objects = new UnshardedSource({ store, scale, codec, layoutOf, infoWasRead: true });
  const reader = new ChunkReader({ lruBytes: 1000, runner: alwaysDue() });
  const read = async (offset: number, source: ChunkSource): Promise<[unknown, unknown]> => {
    const voxel = new Voxel(codec, offset);
    await reader.read(source, Float64Array.of(0), voxel);
    return [voxel.value ?? voxel.failure, voxel.encoding];
  };
  const source = reencodingSource(objects, lruEncoding, codec, layoutOf);
  return { codec, store, objects, reader, source, read };
}

describe("lruEncoding 'decoded'", () => {
  test('decodes a chunk once for all calls, and keeps it decoded', async () => {
    const { codec, store, source, read } = open('decoded');
    const both = await Promise.all([read(4, source), read(0, source)]);
    expect([...both, await read(2, source)]).toEqual([
      [9, 'raw'],
      [7, 'raw'],
      [7, 'raw'],
    ]);
    expect([codec.chunksDecoded, store.reads.length]).toEqual([1, 1]);
  });

  test.each(['same', 'compressed_segmentation'] as const)('is not what %s does', async (lruEncoding) => {
    const { codec, store, source, read } = open(lruEncoding);
    expect([await read(4, source), await read(0, source)]).toEqual([
      [9, 'runs'],
      [7, 'runs'],
    ]);
    expect([codec.chunksDecoded, store.reads.length]).toEqual([0, 1]);
  });

  test('keeps a chunk that ends too early as it is: voxels before the end are right', async () => {
    const { source, read } = open('decoded', RUNS.subarray(0, 2));
    const truncated = [expect.objectContaining({ name: 'DecodeError', code: 'TRUNCATED' }), undefined];
    expect(await read(2, source)).toEqual([7, 'runs']);
    expect(await read(3, source)).toEqual(truncated);
    expect(await read(1, source)).toEqual([7, 'runs']);
  });

  test('keeps the chunk encoded on disk', async () => {
    const { codec, store, objects, reader, read } = open('decoded'),
      entries = new Map<string, object>();
    const disk = {
      get: (name: string) => Promise.resolve(entries.get(name)),
      put: (name: string, entry: object) =>
        Promise.resolve(void entries.set(name, { ...entry, storedMs: 0 })),
    } as unknown as DiskCache;
    const cache = new ChunkDiskCache({
      disk,
      store,
      scope: Promise.resolve('v'),
      infoHash: 'i',
      revalidate: 'never',
    });
    const onDisk = diskCachedSource(objects, { cache, scale, codec, layoutOf });
    const source = reencodingSource(onDisk, 'decoded', codec, layoutOf);
    expect(await Promise.all([read(4, source), read(2, source)])).toEqual([
      [9, 'runs'],
      [7, 'runs'],
    ]);
    expect(await read(0, source)).toEqual([7, 'raw']);
    await reader.whenSaved();
    expect([...entries.values()]).toMatchObject([{ bytes: RUNS }]);
    expect([codec.chunksDecoded, store.reads.length]).toEqual([1, 1]);
  });

  test('changes no chunk whose encoding reads single voxels', () => {
    const { objects, codec } = open('decoded');
    expect(reencodingSource(objects, 'decoded', { ...codec, toRaw: undefined }, layoutOf)).toBe(objects);
  });
});

test('runWithoutPause runs the work of a decoder to its end', () => {
  const out = new Uint8Array(1),
    { codec } = open('same');
  runWithoutPause(codec.decodePoints(RUNS, layoutOf(), Uint32Array.of(7), out, Uint32Array.of(0)));
  expect(out[0]).toBe(9);
});
