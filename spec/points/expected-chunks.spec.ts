/** Worker threads learn how many chunks a call needs while it is being planned. */
import { expect, test } from '@jest/globals';
import type { ChunkThreads } from '../../lib/chunks/chunk-threads.ts';
import { PointReader } from '../../lib/points/point-reader.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { StubStore } from '../support/stub-store.ts';

const CHUNKS = 1000;
const scale = {
  key: '8_8_40',
  resolution: [8, 8, 40],
  size: [CHUNKS, 1, 1],
  voxel_offset: [0, 0, 0],
  chunk_sizes: [[1, 1, 1]],
  encoding: 'raw',
};

/** Threads that do no work, and write down what they were told, and after how many reads. */
class IdleThreads implements ChunkThreads {
  readonly ready = 0;
  readonly told: { chunks: number; reads: number }[] = [];
  constructor(readonly store: StubStore) {}
  readonly busyMs = 0;
  keep(): void {}
  whenReady(): undefined {}
  copyShared(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  giveBack(): void {}
  work(): undefined {}
  readEntry(): undefined {}
  workOnAll(): Promise<[]> {
    return Promise.resolve([]);
  }
  save(): Promise<boolean> {
    return Promise.resolve(false);
  }
  expect(chunks: number): void {
    this.told.push({ chunks, reads: this.store.reads.length });
  }
}

function open(lruBytes: number): { reader: PointReader; threads: IdleThreads } {
  const store = new StubStore(() => new Uint8Array(8)),
    info = parseInfo(
      { type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale] },
      store.url,
    ),
    threads = new IdleThreads(store);
  return { reader: new PointReader({ info, store, infoWasRead: true, threads, lruBytes }), threads };
}
/** Points in the first chunks, one after the other. */
const points = (count: number, chunks: number): number[][] =>
  Array.from({ length: count }, (_, k) => [k % chunks, 0, 0]);

test('a plan of many points tells the chunks that it has found, before any is read', async () => {
  const { reader, threads } = open(0);
  await reader.read(points(5000, CHUNKS), { mip: 0 });
  expect(threads.told).toEqual([
    { chunks: CHUNKS, reads: 0 },
    { chunks: CHUNKS, reads: 0 },
    { chunks: CHUNKS, reads: 0 },
  ]);
});

test('many points in few chunks tell only those', async () => {
  const { reader, threads } = open(0);
  await reader.read(points(5000, 3), { mip: 0 });
  expect(threads.told.map(({ chunks }) => chunks)).toEqual([3, 3, 3]);
});

test('a call whose chunks may be cached tells only those that it must read', async () => {
  const { reader, threads } = open(1 << 20);
  await reader.read(points(5000, 10), { mip: 0 });
  threads.told.length = 0;
  await reader.read(points(5000, 12), { mip: 0 });
  expect(threads.told.map(({ chunks }) => chunks)).toEqual([2]);
});

test('ten thousand points count as much as a chunk: a read of a million starts threads for few chunks', async () => {
  const { reader, threads } = open(0);
  await reader.read(points(29_999, 1), { mip: 0 });
  const told = threads.told.map(({ chunks }) => chunks);
  // The last call is for the chunks that are read.
  expect([new Set(told.slice(0, -1)), told.at(-1)]).toEqual([new Set([2]), 1]);
});
