/** Chunks whose decoder cannot pause are decoded in a worker thread, from the first one on. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenOptions } from '../../lib/index.ts';
import type { WorkCommand } from '../../lib/workers/worker-messages.ts';
import { createMockBucket, serveMocks } from '../../mocks/index.ts';
import { poolSettings, runningThreads, sdk, sentCommands, startedThreads } from '../support/eager-threads.ts';
import { imageCases } from '../support/image-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'slow-chunks-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [{ stream, raw, layout }] = imageCases('jxl').filter(({ name }) => name.includes('lossless')),
  [width, height, depth] = layout.chunkSize;
/** Two equal chunks, one after the other along x. */
const volumeOf = (name: string, encoding: string, chunk: Uint8Array): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '1_1_1'), { recursive: true });
  for (const x of [0, width])
    writeFileSync(join(path, `1_1_1/${x}-${x + width}_0-${height}_0-${depth}`), chunk);
  const scale = { key: '1_1_1', size: [2 * width, height, depth], voxel_offset: [0, 0, 0], encoding };
  writeFileSync(
    join(path, 'info'),
    JSON.stringify({
      type: 'image',
      data_type: 'uint8',
      num_channels: layout.channels,
      scales: [{ ...scale, resolution: [1, 1, 1], chunk_sizes: [layout.chunkSize] }],
    }),
  );
  return path;
};
const JXL = volumeOf('jxl', 'jxl', stream),
  RAW = volumeOf('raw', 'raw', raw);
/** The voxels, as their places in the chunk, and where they are in chunk 0 or 1. */
const at = (chunk: number, ...places: number[]): number[][] =>
  places.map((k) => [
    chunk * width + (k % width),
    Math.floor(k / width) % height,
    Math.floor(k / width / height),
  ]);
const valuesAt = (...places: number[]): number[] => places.map((k) => raw[k]);

/** The settings of a volume whose threads start for calls of many chunks. */
beforeEach(() => {
  startedThreads.length = sentCommands.length = 0;
  Object.assign(poolSettings, { fewestChunks: 96, isPatient: false });
});
afterEach(() => {
  for (const name of Object.keys(poolSettings)) delete poolSettings[name as keyof typeof poolSettings];
  expect(runningThreads()).toEqual([]);
});

async function read(options: OpenOptions, ...calls: number[][][]): Promise<(number[] | number)[]> {
  return readFrom(JXL, options, ...calls);
}
async function readFrom(
  path: string,
  options: OpenOptions,
  ...calls: number[][][]
): Promise<(number[] | number)[]> {
  await using volume = await sdk.openPrecomputed(path, options);
  const seen: (number[] | number)[] = [];
  for (const points of calls) {
    const { values, stats } = await volume.scatteredPoints(points);
    seen.push([...values].map(Number), stats.cacheHits);
  }
  return seen;
}
const works = (): WorkCommand[] => sentCommands.filter((command) => command.kind === 'work');

describe('a chunk that is slow to decode', () => {
  test('is decoded in a thread, even if it is the only one', async () => {
    expect(layout.channels).toBe(1);
    expect(await read({}, at(0, 5, 77), at(1, 9))).toEqual([valuesAt(5, 77), 0, valuesAt(9), 0]);
    expect([startedThreads.length, works().length]).toEqual([1, 2]);
  });

  test('starts no more threads than it needs', async () => {
    expect(await read({ workers: 8 }, [...at(0, 5), ...at(1, 9)])).toEqual([valuesAt(5, 9), 0]);
    expect([startedThreads.length, works().length]).toEqual([2, 2]);
  });

  test('is decoded in a thread when it is in the memory cache, too', async () => {
    expect(await read({ lruBytes: 1e6 }, at(0, 5), at(0, 9), at(0, 11))).toEqual([
      ...[valuesAt(5), 0],
      ...[valuesAt(9), 1],
      ...[valuesAt(11), 1],
    ]);
    expect(works()).toHaveLength(3);
  });

  test('is decoded once, in a thread, for a memory cache of decoded chunks', async () => {
    const options = { lruBytes: 1e6, lruEncoding: 'decoded' } as const;
    expect(await read(options, at(0, 5), at(0, 9), at(0, 11))).toEqual([
      ...[valuesAt(5), 0],
      ...[valuesAt(9), 1],
      ...[valuesAt(11), 1],
    ]);
    expect(works()).toMatchObject([{ work: { wantsRaw: true } }]);
  });

  test('is decoded in a thread before and after it is saved to the disk cache', async () => {
    const keys = ['info', `1_1_1/0-${width}_0-${height}_0-${depth}`],
      files = Object.fromEntries(keys.map((key) => [key, { bytes: readFileSync(join(JXL, key)) }]));
    const served = await serveMocks({ '/jxl': createMockBucket({ files }) });
    const options = { cacheDir: join(folder, 'cache'), lruBytes: 1e6, lruEncoding: 'decoded' } as const;
    try {
      for (const hits of [0, 1])
        expect(await readFrom(`${served.url}/jxl`, options, at(0, 5), at(0, 9))).toEqual([
          ...[valuesAt(5), hits],
          ...[valuesAt(9), 1],
        ]);
    } finally {
      await served.close();
    }
    // For the values, for the memory cache, and in the second process for both.
    expect(works().map(({ work }) => work.wantsRaw)).toEqual([false, true, true]);
  });

  test('is decoded here if no thread can start', async () => {
    const warnings: string[] = [];
    Object.assign(poolSettings, {
      file: join(folder, 'missing.cjs'),
      warn: (text: string) => warnings.push(text),
    });
    expect(await read({}, at(0, 5), at(1, 5), at(0, 7), at(1, 7))).toEqual(
      [5, 5, 7, 7].flatMap((k) => [valuesAt(k), 0]),
    );
    expect(warnings).toHaveLength(1);
  });

  test('is decoded here with workers: 0', async () => {
    expect(await read({ workers: 0 }, at(0, 5))).toEqual([valuesAt(5), 0]);
    expect(startedThreads).toEqual([]);
  });

  test('does not say that other chunks are', async () => {
    await using volume = await sdk.openPrecomputed(RAW);
    expect([...(await volume.scatteredPoints(at(0, 5) as [number, number, number][])).values]).toEqual(
      valuesAt(5),
    );
    expect(startedThreads).toEqual([]);
  });
});
