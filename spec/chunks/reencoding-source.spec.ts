import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { ChunkReader, type ChunkConsumer } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource, StoredChunk } from '../../lib/chunks/chunk-source.ts';
import { reencodingSource } from '../../lib/chunks/reencoding-source.ts';
import type { ChunkLayout, Codec } from '../../lib/codecs/codec.ts';
import { codecFor } from '../../lib/codecs/registry.ts';
import type { DataType } from '../../lib/precomputed/data-type.ts';
import { pointValues } from '../support/point-decode.ts';
import { nextTurn } from '../support/stub-store.ts';

const raw = codecFor('raw')!;

/**
 * A chunk of 16 x 16 x `depth` voxels of uint64. With `depth` 8200 it has more than 16 MiB and is delivered
 * in windows.
 */
const layoutOf = (depth: number, dataType: DataType = 'uint64'): ChunkLayout => ({
  chunkSize: [16, 16, depth],
  channels: 1,
  dataType,
});
const labels = (depth: number, labelAt: (voxel: number) => bigint): Uint8Array =>
  new Uint8Array(BigUint64Array.from({ length: 256 * depth }, (_, voxel) => labelAt(voxel)).buffer);
const few = (voxel: number): bigint => 2n ** 60n + BigInt(Math.floor(voxel / 500));
const manyOf = (voxel: number): bigint => 2n ** 60n + BigInt(voxel);

function sourceOf(chunk: StoredChunk): ChunkSource & { reads: number } {
  const source = {
    id: 'scale',
    reads: 0,
    urlOf: String,
    plan: (cells: readonly number[]) =>
      cells.map((cell) => ({
        cells: [cell],
        run: ({ deliver }: { deliver: (cell: number, chunk: StoredChunk) => Promise<void> }) => {
          source.reads++;
          return deliver(cell, chunk);
        },
      })),
  };
  return source;
}

interface Taken {
  encoding: string;
  size: number | undefined;
  value: bigint;
}

/** Reads one voxel of cell 0, in windows if possible. */
async function readVoxel(
  reader: ChunkReader,
  source: ChunkSource,
  codec: Codec,
  layout: ChunkLayout,
  voxel: number,
): Promise<Taken | Error> {
  const offsets = Uint32Array.of(voxel),
    out = new Uint32Array(2),
    outIndex = Uint32Array.of(0);
  let taken: Taken | undefined, failure: Error | undefined;
  const consumer: ChunkConsumer = {
    receive: (_, bytes, kept = codec) =>
      void (taken = {
        encoding: kept.encoding,
        size: bytes!.byteLength,
        value: pointValues(kept, bytes!, layout, offsets)[0][0],
      }),
    windowReader: () => codec.createStreamDecoder?.(layout, offsets, out, outIndex),
    done: () =>
      void (taken ??= {
        encoding: 'windows',
        size: undefined,
        value: BigInt(out[0]) + (BigInt(out[1]) << 32n),
      }),
    fail: (_, error) => (failure = error),
  };
  await reader.read(source, Float64Array.of(0), consumer);
  return failure ?? taken!;
}

const exact = (bytes: Uint8Array, contentEncoding?: string): StoredChunk => ({
  bytes: contentEncoding ? gzipSync(bytes) : bytes,
  contentEncoding,
  maxBytes: bytes.byteLength,
  exactBytes: bytes.byteLength,
});

describe('reencodingSource', () => {
  const depths = [
    { how: 'whole', depth: 40 },
    { how: 'by windows', depth: 8200 },
  ];
  test.each(depths)(
    'keeps a chunk that is inflated $how as compressed_segmentation, in a cache that is too small for it as raw',
    async ({ how, depth }) => {
      const layout = layoutOf(depth),
        bytes = labels(depth, few),
        stored = sourceOf(exact(bytes, 'gzip'));
      const source = reencodingSource(stored, 'compressed_segmentation', raw, () => layout),
        reader = new ChunkReader({ lruBytes: bytes.byteLength / 4 });
      const first = await readVoxel(reader, source, raw, layout, 7001);
      expect(first).toEqual({
        encoding: how === 'whole' ? 'raw' : 'windows',
        size: how === 'whole' ? bytes.byteLength : undefined,
        value: few(7001),
      });
      for (const voxel of [0, 7001, 256 * depth - 1]) {
        const again = (await readVoxel(reader, source, raw, layout, voxel)) as Taken;
        expect([again.encoding, again.value]).toEqual(['compressed_segmentation', few(voxel)]);
        expect(again.size).toBeLessThan(bytes.byteLength / 4);
      }
      expect(stored.reads).toBe(1);
    },
  );

  test.each(depths)('keeps a chunk that is inflated $how unchanged if that is smaller', async ({ depth }) => {
    const layout = layoutOf(depth),
      bytes = labels(depth, manyOf),
      stored = sourceOf(exact(bytes, 'gzip'));
    const source = reencodingSource(stored, 'compressed_segmentation', raw, () => layout),
      reader = new ChunkReader({ lruBytes: bytes.byteLength });
    expect(await readVoxel(reader, source, raw, layout, 4321)).toMatchObject({ value: manyOf(4321) });
    expect(await readVoxel(reader, source, raw, layout, 1234)).toEqual({
      encoding: 'raw',
      size: bytes.byteLength,
      value: manyOf(1234),
    });
    expect(stored.reads).toBe(1);
  });

  test('converts a chunk that was compressed twice', async () => {
    const layout = layoutOf(640),
      bytes = labels(640, few);
    const twice = { ...exact(bytes, 'gzip'), bytes: gzipSync(gzipSync(bytes)) };
    const source = reencodingSource(sourceOf(twice), 'compressed_segmentation', raw, () => layout),
      reader = new ChunkReader({ lruBytes: 1e6 });
    expect(await readVoxel(reader, source, raw, layout, 9)).toMatchObject({ encoding: 'raw', value: few(9) });
    expect(await readVoxel(reader, source, raw, layout, 100_000)).toMatchObject({
      encoding: 'compressed_segmentation',
      value: few(100_000),
    });
  });

  test('does not keep a chunk that could not be read', async () => {
    const layout = layoutOf(640),
      bytes = labels(640, few),
      cut = exact(bytes, 'gzip');
    const stored = sourceOf({ ...cut, bytes: cut.bytes.subarray(0, -100) });
    const source = reencodingSource(stored, 'compressed_segmentation', raw, () => layout),
      reader = new ChunkReader({ lruBytes: 1e7 });
    for (let again = 1; again <= 2; again++) {
      expect(await readVoxel(reader, source, raw, layout, 1)).toMatchObject({ code: 'CHUNK_FAILED' });
      expect(stored.reads).toBe(again);
      await nextTurn();
    }
  });

  test.each(['int64', 'float64', 'uint16'] as const)('does not convert raw chunks of %s', (dataType) => {
    expect(
      reencodingSource(sourceOf(exact(new Uint8Array(8))), 'compressed_segmentation', raw, () =>
        layoutOf(1, dataType),
      ).reencoderOf!(0),
    ).toBeUndefined();
  });

  test.each(['compressed_segmentation', 'crackle', 'compresso'])('does not change %s', (encoding) => {
    const source = sourceOf(exact(new Uint8Array(8)));
    expect(reencodingSource(source, 'compressed_segmentation', codecFor(encoding)!, () => layoutOf(1))).toBe(
      source,
    );
  });
});

describe('the cache of a ChunkReader', () => {
  test('does not keep a view of a larger read', async () => {
    const large = new Uint8Array(1e6),
      bytes = large.subarray(5, 13),
      seen: number[] = [];
    const reader = new ChunkReader({ lruBytes: 1e6 }),
      source = sourceOf({ bytes, contentEncoding: undefined, maxBytes: 8 });
    const consumer: ChunkConsumer = {
      receive: (_, given) => void seen.push(given!.buffer.byteLength),
      done: () => undefined,
      fail: () => undefined,
    };
    await reader.read(source, Float64Array.of(0), consumer);
    await reader.read(source, Float64Array.of(0), consumer);
    expect(seen).toEqual([1e6, 8]);
  });
});
