/**
 * Point reads from mutated shard files. Each point gets the right label or a typed error, with a limited
 * number of requests and bytes. Indices and data are gzip here, and its checksum detects changes. The shard
 * index has no checksum: a minishard whose entry was changed may look empty, but never gives the labels of
 * another chunk.
 */
import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { errorOfPoint } from '../support/error-of-point.ts';
import { PointReader } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { seeded, type Random } from '../../testing/random.ts';
import {
  cellsOf,
  rangeStore,
  shardedFiles,
  shardedInfo,
  type ShardedVolume,
} from '../support/sharded-volume.ts';
import { rounds } from '../support/rounds.ts';

const { ok, missingChunk, failed } = PointStatus;
const MINISHARDS = 4,
  INDEX_BYTES = 16 * MINISHARDS;
const ROUNDS = rounds(60);

const volume: ShardedVolume = {
  size: [8, 8, 4],
  chunkSize: [2, 2, 2],
  voxelOffset: [3, 0, -2],
  labelAt: (x, y, z) => 2n ** 63n + BigInt((x * 31 + y) * 37 + z),
  sharding: {
    '@type': 'neuroglancer_uint64_sharded_v1',
    hash: 'identity',
    preshift_bits: 1,
    minishard_bits: 2,
    shard_bits: 1,
    minishard_index_encoding: 'gzip',
    data_encoding: 'gzip',
  },
};
const points = cellsOf(volume).map(
  (cell) => cell.map((c, axis) => volume.voxelOffset[axis] + 2 * c) as unknown as Vec3,
);

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const mutations: Record<string, Mutation> = {
  'bytes of the shard index': (bytes, random) => flip(bytes, random, 0, INDEX_BYTES),
  'bytes anywhere': (bytes, random) => flip(bytes, random, 0, bytes.byteLength),
  'bytes of the minishard indices': (bytes, random) =>
    flip(bytes, random, bytes.byteLength - 250, bytes.byteLength),
  'a cut file': (bytes, random) => bytes.slice(0, random.below(bytes.byteLength)),
  'swapped entries of the shard index': (bytes, random) => {
    const [a, b] = [random.below(MINISHARDS), random.below(MINISHARDS)],
      was = bytes.slice(16 * a, 16 * a + 16);
    bytes.copyWithin(16 * a, 16 * b, 16 * b + 16);
    bytes.set(was, 16 * b);
    return bytes;
  },
  'absurd numbers in the shard index': (bytes, random) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const absurd = [
      0n,
      1n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n - 1n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      BigInt(bytes.byteLength),
      BigInt(bytes.byteLength - INDEX_BYTES),
    ];
    for (let n = random.below(3); n >= 0; n--)
      view.setBigUint64(8 * random.below(2 * MINISHARDS), random.pick(absurd), true);
    return bytes;
  },
  // The piece is shorter than a chunk: no checksum can detect a whole chunk in the place of another.
  'a piece moved elsewhere': (bytes, random) => {
    const from = random.below(bytes.byteLength);
    return bytes.copyWithin(random.below(bytes.byteLength), from, from + random.below(20));
  },
};

function flip(bytes: Uint8Array, random: Random, from: number, to: number): Uint8Array {
  for (let n = random.below(4); n >= 0; n--) bytes[from + random.below(to - from)] ^= 1 << random.below(8);
  return bytes;
}

describe('a mutated shard file', () => {
  const files = shardedFiles(volume),
    info = parseInfo(shardedInfo(volume), 'https://bucket.example/volume');
  const whole = files['s0/0.shard'];
  const other = Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0);

  test.each(Object.keys(mutations))('gives right labels or typed errors: %s', async (name) => {
    const random = seeded(77),
      met = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const mutated = mutations[name](whole.slice(), random);
      const store = rangeStore({ ...files, 's0/0.shard': mutated });
      const reader = new PointReader({ info, store, infoWasRead: true });
      // All points read both shards whole; a few points read through the indices.
      const some =
        round % 2 === 0 ? points : Array.from({ length: 1 + random.below(5) }, () => random.pick(points));
      const { values, status, failures, stats } = await reader.read(some, { mip: 0, resolution: [8, 8, 40] });
      const changed =
        mutated.byteLength < INDEX_BYTES ||
        mutated.subarray(0, INDEX_BYTES).some((byte, at) => byte !== whole[at]);
      for (const [i, point] of some.entries()) {
        met.add(status[i]);
        if (status[i] === ok) {
          if (values[i] !== volume.labelAt(...point))
            throw new Error(`round ${round}: a wrong label at ${point.join()}`);
          continue;
        }
        const error = errorOfPoint(failures, i);
        const typed =
          status[i] === failed && error?.cause instanceof DecodeError && error.url.includes('/0.shard#');
        if (!typed && !(status[i] === missingChunk && changed))
          throw new Error(`round ${round}: ${point.join()} has status ${status[i]}: ${String(error?.cause)}`);
      }
      expect(stats.requests).toBeLessThanOrEqual(2 + 2 * MINISHARDS + some.length);
      expect(stats.bytes).toBeLessThanOrEqual(3 * other + 2 * some.length * 65_536);
    }
    // The mutations break something, and leave something unbroken.
    expect([...met].sort()).toEqual(expect.arrayContaining([ok]));
    expect(met.size).toBeGreaterThan(1);
  });
});

/**
 * Without a checksum, only the content of the index can show the damage: it lists chunks that it cannot
 * contain.
 */
describe('a byte that is inserted into or removed from a shard with raw indices', () => {
  const damages: Record<string, (bytes: Uint8Array, at: number) => Uint8Array> = {
    inserted: (bytes, at) =>
      new Uint8Array(Buffer.concat([bytes.subarray(0, at), Uint8Array.of(0), bytes.subarray(at)])),
    removed: (bytes, at) => new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])),
  };
  const shardings: ShardedVolume['sharding'][] = [
    { ...volume.sharding, minishard_index_encoding: 'raw' },
    { ...volume.sharding, minishard_index_encoding: 'raw', hash: 'murmurhash3_x86_128' },
  ];
  test.each(shardings.flatMap((sharding) => Object.keys(damages).map((damage) => ({ sharding, damage }))))(
    'never turns a stored chunk into a missing one: $sharding.hash, $damage',
    async ({ sharding, damage }) => {
      const made = { ...volume, sharding },
        files = shardedFiles(made),
        info = parseInfo(shardedInfo(made), 'https://bucket.example/volume');
      const shard = files['s0/0.shard'],
        met = new Set<number>();
      // Damage starts after the shard index, where an entry with equal start and end is a valid empty
      // minishard.
      for (let at = INDEX_BYTES; at < shard.byteLength; at += Math.ceil(24 / rounds(1))) {
        const reader = new PointReader({
          info,
          store: rangeStore({ ...files, 's0/0.shard': damages[damage](shard, at) }),
          infoWasRead: true,
        });
        const { values, status } = await reader.read(points, { mip: 0, resolution: [8, 8, 40] });
        for (const [i, point] of points.entries()) {
          met.add(status[i]);
          if (status[i] === missingChunk)
            throw new Error(`byte ${at}: the chunk at ${point.join()} is said to be missing`);
          if (status[i] === ok && values[i] !== made.labelAt(...point))
            throw new Error(`byte ${at}: a wrong label at ${point.join()}`);
        }
      }
      expect([...met].sort()).toEqual([ok, failed].sort());
    },
  );
});
