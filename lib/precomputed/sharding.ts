/**
 * Locates chunks of sharded volumes: which shard file, and which minishard in it, holds a chunk.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md, "Sharding specification".
 */
import * as z from 'zod/mini';
import { InfoError } from '../base/errors.ts';
import { integerBetween, safeParse } from '../base/schema.ts';
import { hashInPlace } from './murmurhash.ts';

/** How the chunks of a scale are spread over shards and minishards. */
export interface ShardingSpec {
  hash: 'identity' | 'murmurhash3_x86_128';
  /** The number of low bits of the chunk ID that are dropped before hashing: 0 to 64. */
  preshiftBits: number;
  /** A shard has 2^minishardBits minishards: 0 to 48. */
  minishardBits: number;
  /** A scale has 2^shardBits shards: 0 to 64 - minishardBits. */
  shardBits: number;
  minishardIndexEncoding: 'raw' | 'gzip';
  dataEncoding: 'raw' | 'gzip';
}

/**
 * A shard index takes 2^(minishard_bits + 4) bytes. With more bits, the bytes after it could not be addressed
 * below 2^53.
 */
const MAX_MINISHARD_BITS = 48;

const bits = integerBetween(0, 64);
const encoding = z._default(z.enum(['raw', 'gzip']), 'raw');

const shardingSchema = z.looseObject({
  '@type': z.literal('neuroglancer_uint64_sharded_v1'),
  hash: z.enum(['identity', 'murmurhash3_x86_128']),
  preshift_bits: bits,
  minishard_bits: bits,
  shard_bits: bits,
  minishard_index_encoding: encoding,
  data_encoding: encoding,
});

/**
 * Parses the `sharding` member of a scale.
 *
 * @param where The scale, for errors: `scales[0] of the info at …`.
 * @param url Where the info was read from, for errors.
 * @throws InfoError BAD_INFO (a field is missing or impossible) or UNSUPPORTED (an unknown format, hash or
 *   encoding).
 */
export function parseSharding(json: unknown, where: string, url?: string): ShardingSpec {
  const parsed = safeParse(shardingSchema, json);
  if (!parsed.success) {
    const { path, code, message } = parsed.error.issues[0];
    const value = path.length > 0 ? (json as Record<PropertyKey, unknown>)[path[0]] : json;
    const isUnknownWord = code === 'invalid_value' && typeof value === 'string';
    throw new InfoError(
      isUnknownWord ? 'UNSUPPORTED' : 'BAD_INFO',
      `${where}: ${['sharding', ...path].join('.')}: ${message}`,
      url,
    );
  }
  const {
    hash,
    preshift_bits: preshiftBits,
    minishard_bits: minishardBits,
    shard_bits: shardBits,
    ...rest
  } = parsed.data;
  if (minishardBits + shardBits > 64)
    throw new InfoError(
      'BAD_INFO',
      `${where}: sharding.minishard_bits + sharding.shard_bits: ${minishardBits} + ${shardBits} is more than the 64 bits of a hash`,
      url,
    );
  if (minishardBits > MAX_MINISHARD_BITS)
    throw new InfoError(
      'UNSUPPORTED',
      `${where}: sharding.minishard_bits: ${minishardBits}; at most ${MAX_MINISHARD_BITS} are supported`,
      url,
    );
  return {
    hash,
    preshiftBits,
    minishardBits,
    shardBits,
    minishardIndexEncoding: rest.minishard_index_encoding,
    dataEncoding: rest.data_encoding,
  };
}

/** The shard and minishard of many chunks. */
export interface ChunkLocations {
  /** Shard numbers: one pair of uint32 per chunk, low word first. */
  shards: Uint32Array;
  /** Minishard numbers: one per chunk, below 2^48. */
  minishards: Float64Array;
}

/**
 * Computes the shard and minishard of many chunks.
 * @param ids Chunk IDs: one pair of uint32 per chunk, low word first.
 */
export function locateChunks(spec: ShardingSpec, ids: Uint32Array): ChunkLocations {
  const count = ids.length / 2;
  const shards = new Uint32Array(ids.length),
    minishards = new Float64Array(count);
  const minishardMask = lowBits(spec.minishardBits),
    shardMask = lowBits(spec.shardBits);
  const words = new Uint32Array(2);
  for (let k = 0; k < count; k++) {
    words[0] = ids[2 * k];
    words[1] = ids[2 * k + 1];
    shiftRight(words, spec.preshiftBits);
    if (spec.hash === 'murmurhash3_x86_128') hashInPlace(words);
    minishards[k] =
      ((words[0] & minishardMask[0]) >>> 0) + ((words[1] & minishardMask[1]) >>> 0) * 0x1_0000_0000;
    shiftRight(words, spec.minishardBits);
    shards[2 * k] = words[0] & shardMask[0];
    shards[2 * k + 1] = words[1] & shardMask[1];
  }
  return { shards, minishards };
}

/** Returns the name of a shard's file in the scale's folder, such as `0b.shard`. */
export function shardFileName({ shardBits }: ShardingSpec, low: number, high: number): string {
  const number = high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
  return `${number.padStart(Math.ceil(shardBits / 4), '0')}.shard`;
}

/** Returns 64 bits of which the low `count` (0 to 64) are set: low word first. */
const lowBits = (count: number): Uint32Array =>
  Uint32Array.of(2 ** Math.min(count, 32) - 1, 2 ** Math.max(count - 32, 0) - 1);

/**
 * Shifts a pair of uint32 (low word first) right by 0 to 64 bits, in place. A loop does it, because a
 * JavaScript shift by 32 would do nothing.
 */
export function shiftRight(words: Uint32Array, count: number): void {
  for (; count >= 32; count -= 32) {
    words[0] = words[1];
    words[1] = 0;
  }
  if (count === 0) return;
  words[0] = (words[0] >>> count) | (words[1] << (32 - count));
  words[1] >>>= count;
}
