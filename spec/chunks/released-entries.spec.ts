/** The memory of entries of the disk cache is used again after a chunk was delivered, and not before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PausableWork } from '../../lib/base/cooperative-work.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import { ChunkDiskCache } from '../../lib/chunks/chunk-disk-cache.ts';
import { ChunkReader, type ChunkConsumer } from '../../lib/chunks/chunk-reader.ts';
import { diskCachedSource } from '../../lib/chunks/disk-cached-source.ts';
import { UnshardedSource } from '../../lib/chunks/unsharded-source.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
import { alwaysDue } from '../support/runners.ts';
import { StubStore } from '../support/stub-store.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-released-'))));
afterEach(() => rm(folder, { recursive: true }));

const CHUNKS = 12,
  VOXELS = 8;
const scale: Scale = {
  mip: 0,
  key: 's',
  resolution: [1, 1, 1],
  size: [4 * CHUNKS, 2, 1],
  voxelOffset: [0, 0, 0],
  chunkSize: [4, 2, 1],
  encoding: 'raw',
};
const layoutOf = () => ({ chunkSize: [4, 2, 1] as const, channels: 1, dataType: 'uint8' as const });
const cells = Float64Array.from({ length: CHUNKS }, (_, cell) => cell);

/** Reads all voxels of each chunk, in two turns of the event loop. */
class AllVoxels implements ChunkConsumer {
  readonly values: number[][] = [];
  *receive(ordinal: number, bytes: Uint8Array | undefined): PausableWork {
    const out = new Uint8Array(VOXELS),
      offsets = Uint32Array.from(out.keys());
    yield;
    rawCodec.decodePoints(bytes!, layoutOf(), offsets, out, offsets);
    this.values[ordinal] = [...out];
  }
  done(): void {}
  fail(_: number, error: Error): void {
    throw error;
  }
}

test.each([0, 1000])('with a memory cache of %i bytes', async (lruBytes) => {
  const store = new StubStore((key) => {
    const cell = Number(/s\/(\d+)-/.exec(key)![1]) / 4;
    return Uint8Array.from({ length: VOXELS }, (_, k) => 10 * cell + k);
  });
  const open = () => {
    const reader = new ChunkReader({ lruBytes, runner: alwaysDue() }),
      disk = new DiskCache({ folder, poisonsReleased: true }),
      cache = new ChunkDiskCache({
        disk,
        store,
        scope: Promise.resolve('v'),
        infoHash: 'i',
        revalidate: 'info',
      });
    const objects = new UnshardedSource({ store, scale, codec: rawCodec, layoutOf, infoWasRead: true });
    const source = diskCachedSource(objects, { cache, scale, codec: rawCodec, layoutOf });
    const read = async (): Promise<number[][]> => {
      const voxels = new AllVoxels();
      await reader.read(source, cells, voxels);
      return voxels.values;
    };
    return { reader, read, disk };
  };
  const truth = Array.from(cells, (cell) => Array.from({ length: VOXELS }, (_, k) => 10 * cell + k));
  const first = open();
  expect(await first.read()).toEqual(truth);
  await first.reader.whenSaved();
  expect([first.disk.counts.stored, store.reads.length]).toEqual([CHUNKS, CHUNKS]);
  const { read } = open();
  expect(await Promise.all([read(), read()])).toEqual([truth, truth]);
  expect(await read()).toEqual(truth);
  expect(store.reads.length).toBe(CHUNKS);
});
