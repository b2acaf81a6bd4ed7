/**
 * Writes shard files. Each holds the shard index, the chunks by minishard in ascending order of their IDs,
 * and the minishard indices. Source: Neuroglancer, src/datasource/precomputed/sharded.md.
 */
import { gzipSync } from 'node:zlib';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { compressedMortonCodes } from '../../lib/precomputed/morton.ts';
import { SHARD_INDEX_ENTRY_BYTES, shardIndexBytes } from '../../lib/precomputed/shard-index.ts';
import { locateChunks, shardFileName, type ShardingSpec } from '../../lib/precomputed/sharding.ts';

/** The `sharding` member of a scale in the info file. */
export interface ShardingJson {
  /** The format of the shards. */
  '@type': 'neuroglancer_uint64_sharded_v1';
  /** The hash function for chunk IDs. */
  hash: 'identity' | 'murmurhash3_x86_128';
  /** How many low bits of a chunk ID are dropped before the hash. */
  preshift_bits: number;
  /** How many bits of the hash select the minishard. */
  minishard_bits: number;
  /** How many bits of the hash select the shard. */
  shard_bits: number;
  /** Compression of the minishard indices. */
  minishard_index_encoding: 'raw' | 'gzip';
  /** Compression of each chunk. */
  data_encoding: 'raw' | 'gzip';
}

/** A chunk to write into a shard. */
export interface ShardedChunk {
  /** Position in the scale's chunk grid, xyz. */
  position: Vec3;
  bytes: Uint8Array;
}

interface MinishardChunk {
  id: bigint;
  bytes: Uint8Array;
}

/** Writes chunks into shard files. @returns The files by name. */
export function writeShards(
  chunks: readonly ShardedChunk[],
  gridShape: Vec3,
  spec: ShardingSpec,
): Map<string, Uint8Array> {
  const ids = compressedMortonCodes(gridShape, Float64Array.from(chunks.flatMap(({ position }) => position)));
  const { shards, minishards } = locateChunks(spec, ids);
  const byFile = new Map<string, Map<number, MinishardChunk[]>>();
  chunks.forEach(({ bytes }, k) => {
    const shard = getOr(
      byFile,
      shardFileName(spec, shards[2 * k], shards[2 * k + 1]),
      () => new Map<number, MinishardChunk[]>(),
    );
    const id = (BigInt(ids[2 * k + 1]) << 32n) | BigInt(ids[2 * k]);
    getOr(shard, minishards[k], () => []).push({ id, bytes: packed(bytes, spec.dataEncoding) });
  });
  return new Map([...byFile].map(([name, shard]) => [name, shardBytes(shard, spec)]));
}

function shardBytes(shard: Map<number, MinishardChunk[]>, spec: ShardingSpec): Uint8Array {
  const base = shardIndexBytes(spec);
  const parts: Uint8Array[] = [];
  let end = 0;
  const append = (bytes: Uint8Array): void => {
    parts.push(bytes);
    end += bytes.byteLength;
  };
  const indices = [...shard].map(([minishard, chunks]) => {
    chunks.sort((a, b) => (a.id < b.id ? -1 : 1));
    // Differences of the IDs, differences of each start to the end before it (only the first is not 0), then
    // the sizes.
    const index = new BigUint64Array(3 * chunks.length);
    index[chunks.length] = BigInt(end);
    chunks.forEach(({ id, bytes }, k) => {
      index[k] = id - (k > 0 ? chunks[k - 1].id : 0n);
      index[2 * chunks.length + k] = BigInt(bytes.byteLength);
      append(bytes);
    });
    return { minishard, bytes: packed(new Uint8Array(index.buffer), spec.minishardIndexEncoding) };
  });
  const shardIndex = new DataView(new ArrayBuffer(base));
  for (const { minishard, bytes } of indices) {
    shardIndex.setBigUint64(SHARD_INDEX_ENTRY_BYTES * minishard, BigInt(end), true);
    append(bytes);
    shardIndex.setBigUint64(SHARD_INDEX_ENTRY_BYTES * minishard + 8, BigInt(end), true);
  }
  return Buffer.concat([new Uint8Array(shardIndex.buffer), ...parts]);
}

const packed = (bytes: Uint8Array, encoding: 'raw' | 'gzip'): Uint8Array =>
  encoding === 'gzip' ? gzipSync(bytes, { level: 1 }) : bytes;

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
