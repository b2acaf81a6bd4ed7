/**
 * Makes a sharded raw uint64 volume from a formula. It is written in BigInt from the format's text, and
 * shares no code with the reader.
 */
import { gzipSync } from 'node:zlib';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { parseSharding } from '../../lib/precomputed/sharding.ts';
import type { ReadOptions, StoredObject } from '../../lib/storage/store.ts';
import { RequestError } from '../../lib/base/errors.ts';
import { naiveLocation, naiveMorton } from '../precomputed/sharding-naive.ts';
import { StubStore } from './stub-store.ts';
import { tinyFiles, tinyInfo, type TinyVolume } from '../../testing/tiny-volume.ts';

export interface ShardingJson {
  '@type': 'neuroglancer_uint64_sharded_v1';
  hash: 'identity' | 'murmurhash3_x86_128';
  preshift_bits: number;
  minishard_bits: number;
  shard_bits: number;
  minishard_index_encoding?: 'raw' | 'gzip';
  data_encoding?: 'raw' | 'gzip';
}

export interface ShardedVolume extends TinyVolume {
  sharding: ShardingJson;
  /** Chunks that are stored. @default all */
  stored?: (cell: Vec3) => boolean;
  /**
   * Where minishard indices are: at the end, as CloudVolume writes them, or each after its data, as
   * TensorStore does.
   * @default 'end'
   */
  indices?: 'end' | 'behind';
}

export const shardedInfo = (volume: ShardedVolume) => {
  const info = tinyInfo(volume);
  return { ...info, scales: [{ ...info.scales[0], sharding: volume.sharding }] };
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const uint64s = (values: readonly bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);

/** Lists the cells of a volume, x fastest. */
export function cellsOf({ size, chunkSize }: TinyVolume): Vec3[] {
  const [nx, ny, nz] = size.map((n, axis) => Math.ceil(n / chunkSize[axis]));
  return Array.from(
    { length: nx * ny * nz },
    (_, i) => [i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)] as Vec3,
  );
}

/** Writes the `info` and all shards, by key. */
export function shardedFiles(volume: ShardedVolume): Record<string, Uint8Array> {
  const { size, chunkSize, voxelOffset, sharding, stored = () => true, indices = 'end' } = volume;
  const spec = parseSharding(sharding, 'made');
  const shape = size.map((n, axis) => Math.ceil(n / chunkSize[axis])) as unknown as Vec3;
  const chunks = tinyFiles(volume);
  const shards = new Map<string, Map<number, [id: bigint, bytes: Uint8Array][]>>();
  for (const cell of cellsOf(volume)) {
    if (!stored(cell)) continue;
    const key = cell
      .map(
        (c, axis) =>
          `${voxelOffset[axis] + c * chunkSize[axis]}-${voxelOffset[axis] + Math.min((c + 1) * chunkSize[axis], size[axis])}`,
      )
      .join('_');
    const id = naiveMorton(cell, shape);
    const { file, minishard } = naiveLocation(spec, id);
    const shard = shards.get(file) ?? new Map<number, [bigint, Uint8Array][]>();
    shards.set(file, shard);
    const bytes = chunks[`s0/${key}`];
    shard.set(Number(minishard), [
      ...(shard.get(Number(minishard)) ?? []),
      [id, spec.dataEncoding === 'gzip' ? gzipSync(bytes) : bytes],
    ]);
  }
  const files: Record<string, Uint8Array> = {
    info: new TextEncoder().encode(JSON.stringify(shardedInfo(volume))),
  };
  for (const [file, shard] of shards)
    files[`s0/${file}`] = shardBytes(shard, spec.minishardBits, spec.minishardIndexEncoding, indices);
  return files;
}

function shardBytes(
  shard: Map<number, [bigint, Uint8Array][]>,
  minishardBits: number,
  encoding: 'raw' | 'gzip',
  where: 'end' | 'behind',
): Uint8Array {
  const data: Uint8Array[] = [],
    indices: [minishard: number, index: Uint8Array, at: number][] = [];
  let at = 0;
  const append = (bytes: Uint8Array): number => {
    data.push(bytes);
    return (at += bytes.byteLength) - bytes.byteLength;
  };
  const ascending = [...shard].sort(([a], [b]) => a - b);
  for (const [minishard, chunks] of ascending) {
    chunks.sort(([a], [b]) => (a < b ? -1 : 1));
    const ids: bigint[] = [],
      offsets: bigint[] = [],
      sizes: bigint[] = [];
    let lastId = 0n,
      lastEnd = 0;
    for (const [id, bytes] of chunks) {
      const start = append(bytes);
      ids.push(id - lastId);
      offsets.push(BigInt(start - lastEnd));
      sizes.push(BigInt(bytes.byteLength));
      lastId = id;
      lastEnd = start + bytes.byteLength;
    }
    const plain = uint64s([...ids, ...offsets, ...sizes]);
    const index = encoding === 'gzip' ? new Uint8Array(gzipSync(plain)) : plain;
    indices.push([minishard, index, where === 'behind' ? append(index) : 0]);
  }
  if (where === 'end') for (const entry of indices) entry[2] = append(entry[1]);
  const entries = new BigUint64Array(2 * 2 ** minishardBits);
  for (const [minishard, index, start] of indices)
    entries.set([BigInt(start), BigInt(start + index.byteLength)], 2 * minishard);
  return joined([new Uint8Array(entries.buffer), ...data]);
}

/**
 * Answers a read like a bucket: the requested range, cut at the object's end; an error if the range begins
 * beyond it.
 */
export function answerRange(
  bytes: Uint8Array | undefined,
  key: string,
  { range }: ReadOptions,
): StoredObject | undefined {
  if (!bytes || !range) return bytes && { bytes, contentEncoding: undefined };
  if (range.start >= bytes.byteLength)
    throw new RequestError('BAD_RESPONSE', `${key}: begins beyond the end`, key, 416);
  const end = Math.min(range.end, bytes.byteLength);
  return {
    bytes: bytes.slice(range.start, end),
    contentEncoding: undefined,
    range: { start: range.start, end },
  };
}

/** A store of these files that answers ranges and records its reads. */
export const rangeStore = (files: Record<string, Uint8Array>): StubStore =>
  new StubStore((key, options) => answerRange(files[key], key, options));
