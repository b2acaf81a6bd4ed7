/** Shared memory is used again, but never while something may still read or write it. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSharedBytes, SharedBuffers } from '../../lib/workers/shared-buffers.ts';
import { buildPrecomputed, createMockBucket, mockServer, serveMocks, withFaults } from '../../mocks/index.ts';
import { findWorkerFile } from '../../testing/built-worker-file.ts';
import { seeded } from '../../testing/random.ts';
import { poolSettings, runningThreads, sdk, sentCommands, startedThreads } from '../support/eager-threads.ts';

const MB = 1024 * 1024;

describe('SharedBuffers', () => {
  const freed = (...sizes: number[]): SharedBuffers => {
    const buffers = new SharedBuffers();
    for (const size of sizes) buffers.giveBack(buffers.use(newSharedBytes(size)));
    return buffers;
  };

  test.each([
    { need: 5 * MB, mayBeLess: false, taken: 6 * MB },
    { need: 7 * MB, mayBeLess: false, taken: 8 * MB },
    { need: 9 * MB, mayBeLess: false, taken: undefined },
    { need: 9 * MB, mayBeLess: true, taken: 8 * MB },
    { need: 1, mayBeLess: true, taken: 4 * MB },
  ])('takes $taken of 4, 8 and 6 MB for $need', ({ need, mayBeLess, taken }) => {
    expect(freed(4 * MB, 8 * MB, 6 * MB).take(need, mayBeLess)?.byteLength).toBe(taken);
  });

  test('never gives the same memory twice', () => {
    const buffers = freed(MB);
    const memory = buffers.take(MB)!;
    expect(buffers.take(1)).toBeUndefined();
    const bytes = buffers.use(new Uint8Array(memory, 0, 7));
    buffers.giveBack(bytes);
    expect(buffers.take(MB)).toBe(memory);
    buffers.giveBack(bytes); // a second time: the memory holds another part now
    expect(buffers.take(1)).toBeUndefined();
  });

  test('ignores what cannot be given back: views, copies and other memory', () => {
    const buffers = new SharedBuffers(),
      bytes = buffers.copy(Uint8Array.of(1, 2, 3));
    expect([...bytes]).toEqual([1, 2, 3]);
    for (const other of [bytes.subarray(0), new Uint8Array(3), newSharedBytes(3)]) buffers.giveBack(other);
    expect(buffers.freeBytes).toBe(0);
    buffers.giveBack(bytes);
    expect(buffers.freeBytes).toBe(4096);
  });

  test('keeps 64 MiB free at most: what was used last', () => {
    const buffers = freed(1 * MB, ...Array.from({ length: 16 }, () => 8 * MB));
    expect(buffers.freeBytes).toBe(64 * MB);
    expect(buffers.take(1)?.byteLength).toBe(8 * MB);
  });

  test('rounds sizes up by an eighth at most, beyond the first pages', () => {
    for (const size of [1, 4096, 4097, 40_000, 65_537, 3 * MB + 1, 8 * MB]) {
      const { byteLength, buffer } = newSharedBytes(size);
      expect(byteLength).toBe(size);
      expect(buffer.byteLength).toBeGreaterThanOrEqual(size);
      expect(buffer.byteLength).toBeLessThanOrEqual(Math.max(size + 4096, (9 / 8) * size));
    }
  });
});

/** 32 chunks in four shards; chunk k holds the labels from 8 * k + 1. The labels of two chunks differ. */
const CHUNKS = 32;
const { files } = buildPrecomputed({
  labels: (x, y) => BigInt(x + 1 + 1000 * y),
  size: [8 * CHUNKS, 8, 8],
  chunkSize: [8, 8, 8],
  encoding: 'compressed_segmentation',
  sharding: { preshift_bits: 3, minishard_bits: 0, shard_bits: 2, data_encoding: 'gzip' },
});
type Voxel = [number, number, number];
const pointsIn = (chunks: readonly number[]): Voxel[] => chunks.map((k) => [8 * k + 3, k % 8, 2]);
const labelsIn = (chunks: readonly number[]): bigint[] =>
  chunks.map((k) => BigInt(8 * k + 4 + 1000 * (k % 8)));
const shardOf = (first: number, count = 8): number[] => Array.from({ length: count }, (_, k) => first + k);
const fetches = () => sentCommands.filter((command) => command.kind === 'fetch');
const folder = mkdtempSync(join(tmpdir(), 'shared-buffers-'));
let programs = 0;
const WAIT = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40)';

/** A worker program that runs the code when the work on a chunk begins. The code sees how many were `seen`. */
function programWith(code: string): string {
  const path = join(folder, `${++programs}.cjs`);
  writeFileSync(
    path,
    `const { parentPort } = require('node:worker_threads'), works = new Set(), { store } = Atomics;
    let seen = 0;
    parentPort.on('message', (commands) => {
      for (const command of commands) command.works?.forEach((_, k) => works.add(command.id + k));
    });
    Atomics.store = (array, index, id) => {
      store(array, index, id);
      if (works.has(id)) { seen++; ${code} }
    };
    require(${JSON.stringify(findWorkerFile())});`,
  );
  return path;
}

afterEach(() => {
  sentCommands.length = startedThreads.length = 0;
  for (const name of Object.keys(poolSettings)) delete poolSettings[name as keyof typeof poolSettings];
});
afterEach(() => expect(runningThreads()).toEqual([]));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a volume in shards', () => {
  test('reads into the memory of parts that were read before', async () => {
    await using served = await serveMocks({ '/b': createMockBucket({ files }) });
    await using volume = await sdk.openPrecomputed(`${served.url}/b`, { workers: 2 });
    for (const first of [0, 8, 16, 24, 0]) {
      const { values } = await volume.scatteredPoints(pointsIn(shardOf(first)));
      expect([...values]).toEqual(labelsIn(shardOf(first)));
    }
    expect(fetches().map(({ memory }) => memory !== undefined)).toEqual([false, true, true, true, true]);
    expect(new Set(fetches().map(({ memory }) => memory)).size).toBe(2);
  });

  test('does not use memory again that a thread may still read for an aborted call', async () => {
    poolSettings.file = programWith(`if (seen === 1) ${WAIT};`);
    await using served = await serveMocks({ '/b': createMockBucket({ files }) });
    await using volume = await sdk.openPrecomputed(`${served.url}/b`, { workers: 1 });
    const abort = new AbortController(),
      call = volume.scatteredPoints(pointsIn(shardOf(0)), { signal: abort.signal });
    while (!sentCommands.some(({ kind }) => kind === 'works')) await nextTurn();
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    const { values } = await volume.scatteredPoints(pointsIn(shardOf(8)));
    expect([...values]).toEqual(labelsIn(shardOf(8)));
    expect(fetches().map(({ memory }) => memory)).toEqual([undefined, undefined]);
  });

  test('never mixes parts up, whatever ends in the middle', async () => {
    // Every 60th chunk ends its thread; some take long.
    poolSettings.file = programWith(`if (seen % 60 === 0) process.exit(3); if (seen % 25 === 0) ${WAIT};`);
    const random = seeded(11);
    const stored = createMockBucket({ files });
    const bucket = withFaults(
      (request) => stored.handle(request),
      [
        { match: /8_8_40/, probability: 0.05, seed: 1, status: 503, headers: { 'retry-after': '0' } },
        { match: /8_8_40/, probability: 0.05, seed: 2, reset: true },
        { match: /8_8_40/, probability: 0.05, seed: 3, cut: 40 },
      ],
    );
    await using served = await serveMocks({ '/b': mockServer(bucket) });
    let right = 0,
      others = 0;
    for (const caches of [{}, { lruBytes: 2000 }, { cacheDir: join(folder, 'cache') }]) {
      await using volume = await sdk.openPrecomputed(`${served.url}/b`, { ...caches, workers: 2 });
      const one = async (): Promise<void> => {
        for (let k = 0; k < 5; k++) {
          const first = random.below(CHUNKS),
            chunks = shardOf(first, 1 + random.below(CHUNKS - first)),
            abort = new AbortController();
          const call = volume.scatteredPoints(pointsIn(chunks), { signal: abort.signal, onError: 'status' });
          for (let turns = random.below(3) === 0 ? random.below(12) : 0; turns > 0; turns--) {
            await nextTurn();
            if (turns === 1) abort.abort();
          }
          try {
            const { values, status } = await call;
            for (const [i, label] of labelsIn(chunks).entries())
              if (status[i] === sdk.PointStatus.ok) right += Number(values[i] === label) || NaN;
              else others++;
          } catch (error) {
            if (!abort.signal.aborted) throw error;
            others++;
          }
        }
      };
      await Promise.all([one(), one(), one()]);
    }
    expect(right).toBeGreaterThan(100);
    expect(others).toBeGreaterThan(5);
    expect(fetches().filter(({ memory }) => memory).length).toBeGreaterThan(5);
  });
});

describe('worker threads that are starting', () => {
  const open = async (settings: typeof poolSettings) => {
    Object.assign(poolSettings, { isPatient: false, ...settings });
    const served = await serveMocks({ '/b': createMockBucket({ files }) });
    const volume = await sdk.openPrecomputed(`${served.url}/b`, { workers: 1 });
    const { values } = await volume.scatteredPoints(pointsIn(shardOf(0, CHUNKS)));
    expect([...values]).toEqual(labelsIn(shardOf(0, CHUNKS)));
    await volume.close();
    await served.close();
    return sentCommands.map(({ kind }) => kind);
  };

  test('read the shards of the call that starts them', async () => {
    const kinds = await open({ longestStartMs: 60_000 }); // on a busy machine a thread takes long to start
    expect(kinds.filter((kind) => kind === 'fetch')).toHaveLength(4);
    expect(kinds.filter((kind) => kind === 'works')).toHaveLength(4);
  });

  test.each([
    ['never become ready', 'setInterval(() => undefined, 1000)'],
    ['cannot start', 'throw new Error("broken")'],
  ])('are not waited for if they %s', async (what, program) => {
    const file = join(folder, `${what.replaceAll(' ', '-')}.cjs`);
    writeFileSync(file, program);
    expect(await open({ file, longestStartMs: what === 'cannot start' ? 1e6 : 10 })).toEqual([]);
  });
});
