/** Reads volumes in one thread and with two worker threads. Nothing but the time may differ. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OpenOptions, ReadPointsOptions, VolumeEvent } from '../../lib/index.ts';
import { cacheStats } from '../../lib/cache/cache-maintenance.ts';
import { errorJson } from '../../lib/base/error-json.ts';
import {
  buildPrecomputed,
  createMockBucket,
  mockServer,
  serveMocks,
  withFaults,
  writeFiles,
  type BuiltPrecomputed,
  type Fault,
  type PrecomputedOptions,
} from '../../mocks/index.ts';
import { blobs } from '../../testing/built-volumes.ts';
import { runningThreads, sdk, sentCommands, startedThreads } from '../support/eager-threads.ts';

const folder = await mkdtemp(join(tmpdir(), 'same-answers-'));
afterAll(() => rm(folder, { recursive: true }));

type Encoding = NonNullable<PrecomputedOptions['encoding']>;
type Voxel = [number, number, number];

const shape = (encoding: Encoding): PrecomputedOptions => ({
  labels: blobs,
  size: [41, 21, 11],
  voxelOffset: [13, 6, 3],
  chunkSize: [16, 8, 8],
  blockSize: [8, 4, 8],
  encoding,
});

/** A volume of 18 chunks. Neighbours are compressed differently. */
function mixed(encoding: Encoding): BuiltPrecomputed {
  const volumes = (['none', 'gzip', 'br', 'zstd'] as const).map((bitstream) =>
    buildPrecomputed({ ...shape(encoding), bitstream }),
  );
  const keys = Object.keys(volumes[0].files);
  return {
    ...volumes[0],
    files: Object.fromEntries(keys.map((key, k) => [key, volumes[k % volumes.length].files[key]])),
  };
}

function allVoxels({ info }: BuiltPrecomputed): Voxel[] {
  const [{ size, voxel_offset: first }] = info.scales,
    voxels: Voxel[] = [];
  for (let z = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++) voxels.push([first[0] + x, first[1] + y, first[2] + z]);
  return voxels;
}

/** Everything that a caller sees of one call, except times and the order of events. */
async function seenBy(
  url: string,
  points: Voxel[],
  options: OpenOptions,
  read: ReadPointsOptions = {},
): Promise<{
  values: string;
  status: string;
  statuses: number[];
  errors: string[];
  snapped: string;
  stats: object;
  events: string[];
  warnings: string[];
}> {
  const events: VolumeEvent[] = [],
    warnings: string[] = [];
  await using volume = await sdk.openPrecomputed(url, {
    onEvent: (event) => events.push(event),
    logger: { warn: (message) => warnings.push(message) },
    ...options,
  });
  const result = await volume.scatteredPoints(points, { onError: 'status', ...read }),
    { values, status, stats, snappedNm } = result;
  const errors = Array.from(result.rows(), ({ error }) => (error ? JSON.stringify(errorJson(error)) : ''));
  return {
    values: values.join(),
    status: status.join(),
    statuses: [...new Set(status)].sort(),
    errors: [...new Set(errors)].sort(),
    snapped: snappedNm?.join() ?? '',
    stats: { ...stats, ms: undefined },
    events: events
      .map((event) => {
        const error = 'error' in event && event.error ? errorJson(event.error) : undefined;
        return JSON.stringify({ ...event, error, ms: undefined, delayMs: undefined });
      })
      .sort(),
    warnings,
  };
}

/** Reads with 0 and with 2 threads, compares, and returns what was seen with 2. */
async function seenByBoth(
  url: string,
  points: Voxel[],
  options: OpenOptions = {},
  read: ReadPointsOptions = {},
  between: () => void = () => undefined,
): ReturnType<typeof seenBy> {
  const alone = await seenBy(url, points, { ...options, workers: 0 }, read);
  const before = startedThreads.length;
  between();
  const withThreads = await seenBy(url, points, { ...options, workers: 2 }, read);
  expect(startedThreads.length - before).toBe(2);
  expect(runningThreads()).toEqual([]);
  // Whether the search of a neighbour meets its chunk in flight is a matter of time.
  if (read.snap) for (const { stats } of [alone, withThreads]) Object.assign(stats, { cacheHits: undefined });
  expect(withThreads).toEqual(alone);
  return withThreads;
}

const expected = ({ valueAt }: BuiltPrecomputed, voxels: Voxel[]): string =>
  voxels.map((voxel) => valueAt(voxel)).join();

describe('worker threads', () => {
  const encodings = ['raw', 'compressed_segmentation', 'crackle', 'compresso'] as const;

  test.each(encodings)('read the same values of %s chunks over HTTP', async (encoding) => {
    const volume = mixed(encoding),
      voxels = allVoxels(volume);
    await using served = await serveMocks({ '/b': createMockBucket({ files: volume.files }) });
    sentCommands.length = 0;
    const { values, stats } = await seenByBoth(`${served.url}/b`, voxels);
    expect(values === expected(volume, voxels)).toBe(true);
    expect(stats).toMatchObject({ chunks: 18, requests: 18 });
    expect(sentCommands.filter(({ kind }) => kind === 'fetch')).toHaveLength(18);
  });

  test.each(encodings)('read the same values of %s chunks in shards', async (encoding) => {
    const volume = buildPrecomputed({ ...shape(encoding), sharding: true }),
      voxels = allVoxels(volume);
    await using served = await serveMocks({ '/b': createMockBucket({ files: volume.files }) });
    sentCommands.length = 0;
    const { values } = await seenByBoth(`${served.url}/b`, voxels);
    expect(values === expected(volume, voxels)).toBe(true);
    expect(sentCommands.filter(({ kind }) => kind === 'work')).toEqual([]);
    const together = sentCommands.flatMap((command) => (command.kind === 'works' ? command.works : []));
    expect(together).toHaveLength(18);
    for (const { bytes } of together) expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    // The threads fetch the chunks. The main thread reads the indices.
    const fetched = sentCommands.filter((command) => command.kind === 'fetch');
    expect(fetched.length).toBeGreaterThan(0);
    for (const { work } of fetched) expect(work).toMatchObject({ sharedBytes: expect.any(Number) });
  });

  test.each([
    ['compresso', 'raw', {}],
    ['compressed_segmentation', 'raw', {}],
    ['compressed_segmentation', 'gzip', { lruBytes: 1 << 20 }],
    ['compresso', 'raw', { lruBytes: 1 << 20 }],
  ] as const)('read the same values of %s chunks in shards of %s chunks, with %j', async (...shards) => {
    const [encoding, dataEncoding, options] = shards,
      cacheDir = join(folder, JSON.stringify(shards));
    const volume = buildPrecomputed({ ...shape(encoding), sharding: { data_encoding: dataEncoding } }),
      voxels = allVoxels(volume);
    await using served = await serveMocks({ '/b': createMockBucket({ files: volume.files }) });
    const read = async (workers: number): ReturnType<typeof seenBy> =>
      seenBy(`${served.url}/b`, voxels, { workers, ...options, cacheDir });
    const { values } = await seenByBoth(`${served.url}/b`, voxels, options);
    expect(values === expected(volume, voxels)).toBe(true);
    const filling = await read(2);
    expect(filling.values === values).toBe(true);
    expect(await read(0)).toEqual(await read(2)); // from the disk cache
  });

  test('see the same failures and retries in shards', async () => {
    const volume = buildPrecomputed({ ...shape('compressed_segmentation'), sharding: { shard_bits: 2 } }),
      stored = createMockBucket({ files: volume.files });
    const shards = Object.keys(volume.files).filter((key) => key.endsWith('.shard'));
    const made = (): Fault[] => [
      { match: new RegExp(shards[0]), corrupt: 9, seed: 5 },
      { match: new RegExp(shards[1]), status: 500, times: 1 },
      { match: new RegExp(shards[1]), truncate: 30, times: 1 },
      { match: new RegExp(shards[2]), status: 403 },
    ];
    const list = made(),
      bucket = withFaults((request) => stored.handle(request), list);
    await using served = await serveMocks({ '/b': mockServer(bucket) });
    const { errors, events } = await seenByBoth(`${served.url}/b`, allVoxels(volume), {}, {}, () =>
      list.splice(0, Infinity, ...made()),
    );
    expect(errors.length).toBeGreaterThan(1);
    expect(events.filter((event) => event.includes('"retry"'))).toHaveLength(2);
  });

  test.each(encodings)('read the same values of %s chunks in files', async (encoding) => {
    const volume = mixed(encoding),
      voxels = allVoxels(volume),
      path = join(folder, encoding);
    writeFiles(path, volume.files);
    sentCommands.length = 0;
    const { values } = await seenByBoth(pathToFileURL(path).href, voxels);
    expect(values === expected(volume, voxels)).toBe(true);
    // Chunks that are neither compressed nor slow to decode are not worth a message.
    const worth = encoding === 'raw' || encoding === 'compressed_segmentation' ? 14 : 18;
    expect(sentCommands.filter(({ kind }) => kind === 'work')).toHaveLength(worth);
  });

  /** What happens to some of the chunks; some of it only once. */
  const faults = (): Fault[] => [
    { match: /13-29_6-14/, status: 404 },
    { match: /13-29_14-22_3-11/, status: 403 },
    { match: /13-29_14-22_11-14/, status: 500, times: 1 },
    { match: /13-29_22-27_3-11/, corrupt: 4, seed: 3 },
    { match: /13-29_22-27_11-14/, truncate: 20, times: 1 },
    { match: /29-45_6-14_3-11/, cut: 30 },
    { match: /29-45_6-14_11-14/, status: 429, headers: { 'retry-after': '0' }, times: 1 },
    { match: /29-45_14-22_3-11/, html: true, status: 200 },
    { match: /29-45_14-22_11-14/, status: 429, headers: { 'retry-after': '1000' } },
    { match: /29-45_22-27_3-11/, body: '' },
    { match: /29-45_22-27_11-14/, lengthOff: 9, times: 1 },
    { match: /45-54_6-14_3-11/, status: 200, body: 'short' },
    { match: /45-54_6-14_11-14/, status: 401, body: 'who are you?' },
    { match: /45-54_14-22_3-11/, reset: true, times: 1 },
  ];

  test.each([
    ['', {}],
    [' with a memory cache', { lruBytes: 1 << 20 }],
  ])('see the same failures, retries and missing chunks%s', async (_, options) => {
    const volume = buildPrecomputed({ ...shape('compressed_segmentation'), bitstream: 'gzip' }),
      stored = createMockBucket({ files: volume.files }),
      list = faults();
    const bucket = withFaults((request) => stored.handle(request), list);
    await using served = await serveMocks({ '/b': mockServer(bucket) });
    const { events, statuses, errors } = await seenByBoth(
      `${served.url}/b`,
      allVoxels(volume),
      options,
      {},
      () => list.splice(0, Infinity, ...faults()),
    );
    expect(statuses.length).toBeGreaterThan(2);
    expect(errors).toHaveLength(9);
    expect(events.filter((event) => event.includes('"retry"'))).toHaveLength(5);
  });

  test('read the same parts of a large raw chunk', async () => {
    const volume = buildPrecomputed({ labels: (x, y, z) => BigInt(x + y * z), size: [64, 64, 64] }),
      voxels: Voxel[] = [
        [1, 2, 32],
        [7, 8, 63],
      ];
    await using served = await serveMocks({ '/b': createMockBucket({ files: volume.files }) });
    const { values, stats } = await seenByBoth(`${served.url}/b`, voxels);
    expect(values).toBe(expected(volume, voxels));
    expect(stats).toMatchObject({ requests: 3 });
  });

  test('fill a disk cache with the same chunks, and read the same values from it', async () => {
    const volume = mixed('compressed_segmentation'),
      voxels = allVoxels(volume);
    await using served = await serveMocks({ '/b': createMockBucket({ files: volume.files }) });
    const read = async (workers: number, filledBy: number): ReturnType<typeof seenBy> =>
      seenBy(`${served.url}/b`, voxels, { workers, cacheDir: join(folder, `cache-${filledBy}`) });
    const alone = await read(0, 0);
    sentCommands.length = 0;
    expect(await read(2, 2)).toEqual(alone);
    // The threads store what they fetch, and nobody asks them to.
    const orders = sentCommands.flatMap((command) =>
      command.kind === 'fetch' && 'saves' in command.work ? [command] : [],
    );
    expect([orders.length, sentCommands.filter(({ kind }) => kind === 'save').length]).toEqual([18, 0]);
    const cached = await read(0, 2);
    expect(cached.values).toBe(alone.values);
    expect(cached.events.filter((event) => event.includes('"from":"cache"'))).toHaveLength(18);
    expect(await read(2, 0)).toEqual(cached);
  });

  test('store nothing of a reply that is not the chunk', async () => {
    const volume = mixed('compressed_segmentation'),
      stored = createMockBucket({ files: volume.files }),
      other = volume.files['8_8_40/45-54_22-27_11-14'].bytes;
    const bucket = withFaults(
      (request) => stored.handle(request),
      [
        { match: /13-29_6-14_3-11/, status: 206, body: other, headers: { 'content-range': 'bytes 0-9/99' } },
        { match: /13-29_14-22_3-11/, html: true, status: 200 },
        { match: /13-29_22-27_3-11/, status: 203, body: other },
      ],
    );
    await using served = await serveMocks({ '/b': mockServer(bucket) });
    const read = async (workers: number, filledBy: number): ReturnType<typeof seenBy> =>
      seenBy(`${served.url}/b`, allVoxels(volume), { workers, cacheDir: join(folder, `odd-${filledBy}`) });
    const alone = await read(0, 0);
    expect(alone.errors).toHaveLength(4);
    expect(await read(2, 2)).toEqual(alone);
    const entries = await Promise.all([0, 2].map((filledBy) => cacheStats(join(folder, `odd-${filledBy}`))));
    expect(entries.map((stats) => stats.entries)).toEqual([15, 15]);
    expect((await read(0, 2)).values).toBe(alone.values);
  });

  test('snap to the same labels, and fail the same chunks on the way', async () => {
    const volume = buildPrecomputed({ ...shape('compressed_segmentation'), bitstream: 'gzip' }),
      stored = createMockBucket({ files: volume.files });
    const bucket = withFaults(
      (request) => stored.handle(request),
      [
        {
          match: /13-29_22-27_3-11/,
          body: volume.files['8_8_40/13-29_22-27_3-11'].bytes.with(40, 0).with(41, 0),
        },
        { match: /29-45_14-22_3-11/, status: 404 },
      ],
    );
    await using served = await serveMocks({ '/b': mockServer(bucket) });
    const { snapped, errors } = await seenByBoth(
      `${served.url}/b`,
      allVoxels(volume),
      {},
      { snap: { radiusNm: 30 }, timeoutMs: 10_000 },
    );
    expect(new Set(snapped.split(',')).size).toBeGreaterThan(3);
    expect(errors).toHaveLength(2);
  });
});
