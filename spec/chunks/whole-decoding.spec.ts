/**
 * Encodings that are decoded as a whole chunk: the chunk is decoded once for all waiting calls, after
 * decompression.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import type { DiskCache } from '../../lib/cache/disk-cache.ts';
import { ChunkDiskCache } from '../../lib/chunks/chunk-disk-cache.ts';
import { ChunkReader, type ChunkConsumer } from '../../lib/chunks/chunk-reader.ts';
import { diskCachedSource } from '../../lib/chunks/disk-cached-source.ts';
import { UnshardedSource } from '../../lib/chunks/unsharded-source.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
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

/** Makes a codec whose chunks are pairs of a length and a value. */
function runLengths() {
  const codec = {
    ...rawCodec,
    encoding: 'runs',
    exactBytes: undefined,
    maxBytes: () => 16,
    decoded: 0,
    async decodeChunk(bytes: Uint8Array): Promise<Uint8Array> {
      codec.decoded++;
      const voxels = Array.from({ length: bytes.length / 2 }, (_, k) =>
        Array<number>(bytes[2 * k]).fill(bytes[2 * k + 1]),
      );
      if (voxels.flat().length !== 8) throw new DecodeError('WRONG_SIZE', 'not 8 voxels');
      return Uint8Array.from(voxels.flat());
    },
  };
  return codec satisfies Codec;
}

/** Receives the value of voxel 4, or the error. */
class Voxel implements ChunkConsumer {
  value: number | undefined;
  failure: Error | undefined;
  receive(_: number, bytes: Uint8Array | undefined): void {
    const out = new Uint32Array(1);
    rawCodec.decodePoints(bytes!, layoutOf(), Uint32Array.of(4), out, Uint32Array.of(0));
    this.value = out[0];
  }
  done(): void {}
  fail(_: number, { cause }: Error): void {
    this.failure = cause as Error;
  }
}

const STORED = gzipSync(Uint8Array.of(3, 7, 5, 9));
const readVoxel = async (reader: ChunkReader, source: Parameters<ChunkReader['read']>[0]): Promise<Voxel> => {
  const voxel = new Voxel();
  await reader.read(source, Float64Array.of(0), voxel);
  return voxel;
};
const stored = (codec: Codec, bytes = STORED) => {
  const store = new StubStore(() => bytes);
  return { store, source: new UnshardedSource({ store, scale, codec, layoutOf, infoWasRead: true }) };
};

describe('a chunk that is decoded as a whole', () => {
  test('is decoded once for all waiting calls, after decompression, and cached decoded', async () => {
    const codec = runLengths(),
      { store, source } = stored(codec),
      reader = new ChunkReader({ lruBytes: 1000 });
    const both = await Promise.all([readVoxel(reader, source), readVoxel(reader, source)]);
    const later = await readVoxel(reader, source);
    expect([...both, later].map(({ value }) => value)).toEqual([9, 9, 9]);
    expect([codec.decoded, store.reads.length]).toEqual([1, 1]);
  });

  test('fails if its bytes do not follow the format', async () => {
    const { source } = stored(runLengths(), gzipSync(Uint8Array.of(3, 7)));
    expect((await readVoxel(new ChunkReader(), source)).failure).toMatchObject({
      name: 'DecodeError',
      code: 'WRONG_SIZE',
    });
  });

  test('is kept decoded on disk, and read from there without decoding', async () => {
    const codec = runLengths(),
      { store, source } = stored(codec),
      entries = new Map<string, object>();
    const disk = {
      get: (name: string) => Promise.resolve(entries.get(name)),
      put: (name: string, entry: object) =>
        Promise.resolve(void entries.set(name, { ...entry, storedMs: 0 })),
    } as unknown as DiskCache;
    const cache = new ChunkDiskCache({ disk, store, scope: Promise.resolve('v'), revalidate: 'never' });
    const kept = diskCachedSource(source, { cache, scale, codec, layoutOf });
    for (let again = 0; again < 2; again++) {
      const reader = new ChunkReader();
      expect((await readVoxel(reader, kept)).value).toBe(9);
      await reader.whenSaved();
    }
    expect([codec.decoded, store.reads.length, entries.size]).toEqual([1, 1, 1]);
  });
});
