/**
 * Shards that are replaced while they are read, or between two reads. The answers are the right labels of
 * either version or an error, never the labels of other chunks.
 */
import { mkdtempSync, renameSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { PointValues } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { FileStore } from '../../lib/storage/file-store.ts';
import { memoryBucket, MemoryStore } from '../../lib/storage/memory-store.ts';
import type { Store } from '../../lib/storage/store.ts';
import { errorOfPoint } from '../support/error-of-point.ts';
import { seeded } from '../../testing/random.ts';
import { answerRange, shardedFiles, shardedInfo, type ShardedVolume } from '../support/sharded-volume.ts';
import { StubStore, type StoreRead } from '../support/stub-store.ts';
import { tinyFiles, tinyInfo } from '../../testing/tiny-volume.ts';

const { ok, failed } = PointStatus;
const SHARD = 's0/0.shard';

/**
 * A row of ten chunks in one shard. Each version lacks another chunk, so that the later chunks are at other
 * places. In the other version, each of these places holds a whole chunk with other labels.
 */
const volume = (lacks: number, part: Partial<ShardedVolume> = {}): ShardedVolume => ({
  size: [20, 2, 2],
  chunkSize: [2, 2, 2],
  voxelOffset: [0, 0, 0],
  labelAt: (x) => BigInt(1000 + Math.floor(x / 2)),
  stored: ([x]) => x !== lacks,
  sharding: {
    '@type': 'neuroglancer_uint64_sharded_v1',
    hash: 'identity',
    preshift_bits: 0,
    minishard_bits: 1,
    shard_bits: 0,
  },
  ...part,
});
const versionOf = (lacks: number, part?: Partial<ShardedVolume>): Record<string, Uint8Array> =>
  shardedFiles(volume(lacks, part));

const readerOf = (store: Store, options: Partial<PointReaderOptions> = {}, made = volume(0)): PointReader =>
  new PointReader({ info: parseInfo(shardedInfo(made), store.url), store, infoWasRead: true, ...options });
const read = (reader: PointReader, chunks: readonly number[]): Promise<PointValues> =>
  reader.read(
    chunks.map((chunk): Vec3 => [2 * chunk, 1, 1]),
    { mip: 0, resolution: [8, 8, 40] },
  );
const expectRight = ({ values, status, failures }: PointValues, chunks: readonly number[]): void => {
  expect(failures.map(({ error }) => error.message)).toEqual([]);
  expect([...status]).toEqual(chunks.map(() => ok));
  expect([...values]).toEqual(chunks.map((chunk) => BigInt(1000 + chunk)));
};

/** A store whose n-th reply for the shard has the version and the validator that `at` returns. */
function storeOf(
  at: (n: number, read: StoreRead) => { files: Record<string, Uint8Array>; validator?: string },
): StubStore {
  const store = new StubStore((key, options) => {
    const n = store.reads.filter((read) => read.key === SHARD).length;
    const { files, validator } = at(n, { key, ...options }),
      found = answerRange(files[key], key, options);
    return found && { ...found, validator };
  });
  return store;
}

const one = versionOf(3),
  two = versionOf(0),
  three = versionOf(1);
const CHUNKS = [2, 4];

describe('a shard that is replaced', () => {
  // Each chunk takes three reads: the shard index, the minishard index and the chunk. Both chunks are in one
  // minishard.
  test.each([1, 2, 3, 4, 5])('between the reads of one call, after %i of them', async (last) => {
    const store = storeOf((n) =>
      n <= last ? { files: one, validator: '"v1"' } : { files: two, validator: '"v2"' },
    );
    expectRight(await read(readerOf(store), CHUNKS), CHUNKS);
    expect(store.reads.length).toBeLessThanOrEqual(9);
    expect(store.reads.every((read) => !('ifRange' in read))).toBe(true);
  });

  test.each(['"v1"', 'W/"v1"', undefined].flatMap((first) => [1, 2, 3, 4].map((last) => ({ first, last }))))(
    'between calls, with indices in memory: $first, $last reads',
    async ({ first, last }) => {
      // Without a validator, nothing can be compared. The test then asserts only that nothing is read again.
      const store = storeOf((n) =>
        n <= last ? { files: one, validator: first } : { files: two, validator: first && '"v2"' },
      );
      const reader = readerOf(store);
      if (first === undefined) {
        await read(reader, [2]);
        const before = store.reads.length;
        await read(reader, [4]);
        expect(store.reads.length).toBe(before + 1);
        return;
      }
      expectRight(await read(reader, [2]), [2]);
      expectRight(await read(reader, [4]), [4]);
      expectRight(await read(reader, [5, 6, 8]), [5, 6, 8]);
    },
  );

  test('by a shorter shard, with and without validators', async () => {
    const shorter = versionOf(-1, { stored: ([x]) => x === 2 || x === 8 });
    for (const validators of [
      ['"a"', '"b"'],
      [undefined, undefined],
    ]) {
      let files = one,
        validator = validators[0];
      const reader = readerOf(storeOf(() => ({ files, validator })));
      expectRight(await read(reader, [2]), [2]);
      [files, validator] = [shorter, validators[1]];
      expectRight(await read(reader, [8]), [8]);
    }
  });

  test('twice during one call', async () => {
    // Version 2 comes for the chunks, and version 3 for the chunks that the index of version 2 names.
    const store = storeOf((n) =>
      n <= 2
        ? { files: one, validator: '1' }
        : n <= 5
          ? { files: two, validator: '2' }
          : { files: three, validator: '3' },
    );
    expectRight(await read(readerOf(store), CHUNKS), CHUNKS);
  });

  test('at every read fails with an error that says so', async () => {
    const versions = [one, two, three];
    const store = storeOf((n) => ({ files: versions[n % 3], validator: `"${n}"` }));
    const { status, failures } = await read(readerOf(store), [4, 8]);
    expect([...status]).toEqual([failed, failed]);
    const error = errorOfPoint(failures, 0)!;
    expect(error.cause).toMatchObject({
      name: 'RequestError',
      code: 'CHANGED_UNDER_WAY',
      url: `${store.url}/${SHARD}`,
    });
    expect(error.message).toMatch(
      /^chunk https:\/\/bucket\.example\/volume\/s0\/0\.shard#8-10_0-2_0-2: https:\/\/bucket\.example\/volume\/s0\/0\.shard is being replaced: .* retry when its writer has finished$/,
    );
    expect(store.reads.length).toBeLessThanOrEqual(4 * 3);
  });

  test('with an equal index gives the new labels', async () => {
    // The same chunks are at the same places, with other labels.
    const relabelled = versionOf(3, { labelAt: (x) => BigInt(2000 + Math.floor(x / 2)) }),
      warnings: string[] = [];
    const store = storeOf((n) =>
      n <= 2 ? { files: one, validator: '"v1"' } : { files: relabelled, validator: '"v2"' },
    );
    const reader = readerOf(store, { warn: (message) => warnings.push(message) });
    expect([...(await read(reader, [2])).values]).toEqual([2002n]);
    expect([...(await read(reader, [4])).values]).toEqual([2004n]);
    expect(warnings).toEqual([]);
    expect(store.reads.length).toBeLessThanOrEqual(7);
  });

  test('is noticed by each of many parallel calls, which share the new index', async () => {
    let files = one,
      validator = '"v1"';
    const store = storeOf(() => ({ files, validator })),
      reader = readerOf(store);
    expectRight(await read(reader, [2]), [2]);
    [files, validator] = [two, '"v2"'];
    const before = store.reads.length,
      chunks = [4, 5, 6, 7, 8, 9];
    await Promise.all(chunks.map(async (chunk) => expectRight(await read(reader, [chunk]), [chunk])));
    // Each chunk is read twice, and the shard index and both minishard indices are read for both minishards.
    expect(store.reads.length - before).toBeLessThanOrEqual(2 * chunks.length + 6);
  });

  test('with a large index is noticed, though only its entries are read', async () => {
    const large = { sharding: { ...volume(0).sharding, minishard_bits: 13 } },
      [before, after] = [versionOf(3, large), versionOf(0, large)];
    for (const last of [1, 2, 3]) {
      const store = storeOf((n) =>
        n <= last ? { files: before, validator: '"v1"' } : { files: after, validator: '"v2"' },
      );
      expectRight(await read(readerOf(store, {}, volume(0, large)), [4]), [4]);
    }
  });

  test('on a server that ignores ranges is noticed', async () => {
    let files = one,
      validator = '"v1"';
    const store = new StubStore((key) => ({ bytes: files[key], contentEncoding: undefined, validator })),
      reader = readerOf(store);
    expectRight(await read(reader, [2]), [2]);
    [files, validator] = [two, '"v2"'];
    expectRight(await read(reader, [4]), [4]);
  });

  test('is noticed if all of it is wanted', async () => {
    let files = one,
      validator = '"v1"';
    const reader = readerOf(storeOf(() => ({ files, validator })));
    expectRight(await read(reader, [2]), [2]);
    [files, validator] = [two, '"v2"'];
    expectRight(await read(reader, [1, 2, 3, 4, 5, 6, 7, 8, 9]), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('validators that do not tell versions apart', () => {
  const random = seeded(3);
  /**
   * Patterns of validators. `isWarned`: whether a warning is expected. There is none if all validators are known soon.
   */
  const patterns: Record<string, { of: (n: number) => string; isWarned: boolean }> = {
    'a new one each time': { of: (n) => `"${n}"`, isWarned: true },
    'weak ones, a new one each time': { of: (n) => `W/"${n}"`, isWarned: true },
    'two, in turns': { of: (n) => `"${n % 2}"`, isWarned: true },
    'two, in pairs': { of: (n) => `"${Math.floor(n / 2) % 2}"`, isWarned: true },
    'three, in turns': { of: (n) => `"${n % 3}"`, isWarned: false },
    'dates of two replicas': {
      of: (n) => `modified Thu, 26 Nov 2026 10:00:0${n % 2} GMT size 9`,
      isWarned: true,
    },
    'two, at random': { of: () => `"${random.below(2)}"`, isWarned: false },
  };
  test.each(Object.keys(patterns))('do no harm: %s', async (name) => {
    const warnings: string[] = [],
      { of, isWarned } = patterns[name];
    const store = storeOf((n) => ({ files: one, validator: of(n) }));
    const reader = readerOf(store, { warn: (message) => warnings.push(message) });
    for (const chunks of [[2], [4], [5, 8], [9], [2, 6], [7]])
      expectRight(await read(reader, chunks), chunks);
    if (isWarned)
      expect(warnings).toEqual([
        expect.stringMatching(
          /^https:\/\/bucket\.example\/volume\/s0\/0\.shard.*: the server sends the same bytes with changing ETags or dates, as replicas behind a load balancer do; /,
        ),
      ]);
    else expect(warnings.length).toBeLessThanOrEqual(1);
    // After the warning, each chunk takes one read.
    const before = store.reads.length;
    await read(reader, [2]);
    expect(store.reads.length).toBeLessThanOrEqual(before + (isWarned ? 1 : 6));
  });

  test('do no harm with a large shard index', async () => {
    const large = { sharding: { ...volume(0).sharding, minishard_bits: 13 } },
      files = versionOf(3, large);
    const reader = readerOf(
      storeOf((n) => ({ files, validator: `"${n}"` })),
      {},
      volume(0, large),
    );
    for (const chunks of [[2], [4, 5], [8]]) expectRight(await read(reader, chunks), chunks);
  });

  test('may be weak for some replies and strong for others', async () => {
    const store = storeOf((n) => ({ files: one, validator: n % 2 ? '"v"' : 'W/"v"' }));
    expectRight(await read(readerOf(store), [4]), [4]);
    expect(store.reads.length).toBe(3);
  });

  test('may be missing from some replies', async () => {
    const store = storeOf((n) => ({ files: one, validator: n % 2 ? '"v"' : undefined }));
    expectRight(await read(readerOf(store), [4]), [4]);
    expect(store.reads.length).toBe(3);
  });
});

test('every answer is right or a failure, whenever shards are replaced', async () => {
  const random = seeded(5);
  const versions = [one, two, three, versionOf(9)],
    met = new Set<number>();
  for (let round = 0; round < 150; round++) {
    let current = 0;
    const store = storeOf(() => {
      if (random.below(4) === 0) current = random.below(versions.length);
      return { files: versions[current], validator: `"${current}"` };
    });
    const reader = readerOf(store);
    for (let call = 0; call < 4; call++) {
      const chunks = Array.from({ length: 1 + random.below(4) }, () => random.below(10));
      const { values, status } = await read(reader, chunks);
      for (const [i, chunk] of chunks.entries()) {
        met.add(status[i]);
        expect(values[i]).toBe(status[i] === ok ? BigInt(1000 + chunk) : 0n);
      }
    }
  }
  expect(met).toContain(ok);
});

describe('parts of one raw chunk', () => {
  // 128 x 128 x 64 voxels of 8 bytes are 8 MiB. A few points need only a few parts of it.
  const large = {
    size: [256, 128, 64] as Vec3,
    chunkSize: [128, 128, 64] as Vec3,
    labelAt: (x: number, y: number, z: number) => BigInt(x + 1000 * y + 1_000_000 * z),
  };
  const relabelled = {
    ...large,
    labelAt: (...at: [number, number, number]) => 10n ** 12n + large.labelAt(...at),
  };
  const points: Vec3[] = [
    [5, 5, 5],
    [60, 60, 60],
  ];
  const readPoints = (reader: PointReader): Promise<PointValues> =>
    reader.read(points, { mip: 0, resolution: [8, 8, 40] });
  const sharded = [versionOf(-1, large), versionOf(-1, relabelled)];
  const unsharded = [large, relabelled].map((made) => tinyFiles({ ...volume(-1, made) }));

  test.each([1, 2, 3, 4])('have one version in a shard that is replaced after %i reads', async (last) => {
    const store = storeOf((n) =>
      n <= last ? { files: sharded[0], validator: '"v1"' } : { files: sharded[1], validator: '"v2"' },
    );
    const { values, status } = await readPoints(readerOf(store, {}, volume(-1, large)));
    expect([...status]).toEqual([ok, ok]);
    const all = [large, relabelled].map(({ labelAt }) => points.map((point) => labelAt(...point)));
    expect(all).toContainEqual([...values]);
  });

  test.each([1, 2])(
    'have one version in an unsharded chunk that is replaced after %i reads',
    async (last) => {
      const key = 's0/0-128_0-128_0-64';
      const store: StubStore = new StubStore((name, options) => {
        const isOld = store.reads.length <= last,
          found = answerRange((isOld ? unsharded[0] : unsharded[1])[name], name, options);
        return (
          found && { ...found, totalBytes: unsharded[0][key].byteLength, validator: isOld ? '"v1"' : '"v2"' }
        );
      });
      const reader = new PointReader({
        info: parseInfo(tinyInfo(volume(-1, large)), store.url),
        store,
        infoWasRead: true,
      });
      const { values } = await readPoints(reader);
      const all = [large, relabelled].map(({ labelAt }) => points.map((point) => labelAt(...point)));
      expect(all).toContainEqual([...values]);
      expect(store.reads[0].range).toBeDefined();
    },
  );
});

describe('a shard on this machine that is replaced', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

  /** Renames a new file to the old name, as careful writers do, or overwrites the old file. */
  test.each(['renamed', 'written in place'])('is noticed if the file is %s', async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'replaced-'));
    folders.push(folder);
    const path = join(folder, SHARD);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, one[SHARD]);
    const reader = readerOf(new FileStore(folder));
    expectRight(await read(reader, [2]), [2]);
    if (how === 'renamed') {
      writeFileSync(`${path}.new`, two[SHARD]);
      renameSync(`${path}.new`, path);
    } else writeFileSync(path, two[SHARD]);
    expectRight(await read(reader, [4]), [4]);
  });

  test('is noticed in memory', async () => {
    const bucket = memoryBucket('replaced-shards');
    bucket.put(`v/${SHARD}`, one[SHARD]);
    const reader = readerOf(new MemoryStore('replaced-shards', 'v'));
    expectRight(await read(reader, [2]), [2]);
    bucket.put(`v/${SHARD}`, two[SHARD]);
    expectRight(await read(reader, [4]), [4]);
  });
});
