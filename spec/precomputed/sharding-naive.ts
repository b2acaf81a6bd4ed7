/**
 * A plain implementation of the sharded format, in BigInt and word for word from its text. The fast code is
 * compared with it. It shares no code with lib/precomputed.
 */
import type { ShardingSpec } from '../../lib/precomputed/sharding.ts';

export type Triple = readonly [number, number, number];

export const pairsOf = (ids: readonly bigint[]): Uint32Array =>
  Uint32Array.from(ids.flatMap((id) => [Number(id & 0xffffffffn), Number(id >> 32n)]));
export const bigintsOf = (pairs: Uint32Array): bigint[] =>
  Array.from(
    { length: pairs.length / 2 },
    (_, i) => (BigInt(pairs[2 * i + 1]) << 32n) | BigInt(pairs[2 * i]),
  );

/** Computes a chunk ID. Source: volume.md, "Compressed morton code", the list of steps at its end. */
export function naiveMorton(cell: Triple, shape: Triple): bigint {
  let code = 0n,
    j = 0n;
  for (let i = 0n; i < 64n; i++)
    for (let dim = 0; dim < 3; dim++)
      if (2n ** i < BigInt(shape[dim])) code |= ((BigInt(cell[dim]) >> i) & 1n) << j++;
  return code;
}

/** Inverts it: gives each bit back to its axis. */
export function naiveCell(code: bigint, shape: Triple): [number, number, number] {
  const cell = [0n, 0n, 0n];
  for (let i = 0n; i < 64n; i++)
    for (let dim = 0; dim < 3; dim++)
      if (2n ** i < BigInt(shape[dim])) {
        cell[dim] |= (code & 1n) << i;
        code >>= 1n;
      }
  return [Number(cell[0]), Number(cell[1]), Number(cell[2])];
}

const U32 = 2n ** 32n;
const U64 = 2n ** 64n;
const rotate = (x: bigint, r: bigint): bigint => ((x << r) | (x >> (32n - r))) % U32;
const mix = (h: bigint): bigint => {
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) % U32;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) % U32;
  return h ^ (h >> 16n);
};

/**
 * MurmurHash3_x86_128 with its four lanes, as in SMHasher, of 8 bytes with seed 0: the first 8 bytes of the
 * digest.
 */
export function naiveHash(key: bigint): bigint {
  const h = [0n, 0n, 0n, 0n];
  h[1] ^= (rotate(((key >> 32n) * 0xab0e9789n) % U32, 16n) * 0x38b34ae5n) % U32;
  h[0] ^= (rotate(((key % U32) * 0x239b961bn) % U32, 15n) * 0xab0e9789n) % U32;
  const stir = (): void => {
    for (const other of [1, 2, 3]) h[0] = (h[0] + h[other]) % U32;
    for (const other of [1, 2, 3]) h[other] = (h[other] + h[0]) % U32;
  };
  h.forEach((_, lane) => (h[lane] ^= 8n));
  stir();
  h.forEach((word, lane) => (h[lane] = mix(word)));
  stir();
  return h[0] + (h[1] << 32n);
}

export function naiveLocation(
  { hash, preshiftBits, minishardBits, shardBits }: ShardingSpec,
  id: bigint,
): { minishard: bigint; shard: bigint; file: string } {
  const shifted = id >> BigInt(preshiftBits);
  const hashed = hash === 'identity' ? shifted : naiveHash(shifted);
  const minishard = hashed % 2n ** BigInt(minishardBits);
  const shard = (hashed >> BigInt(minishardBits)) % 2n ** BigInt(shardBits);
  return { minishard, shard, file: `${shard.toString(16).padStart(Math.ceil(shardBits / 4), '0')}.shard` };
}

const LIMIT = 2n ** 53n;
const valueAt = (bytes: Uint8Array, at: number): bigint =>
  bytes.subarray(at, at + 8).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);

export type Span = [start: bigint, end: bigint];

/** Returns the byte range of a minishard index, null for an empty minishard, or the error code. */
export function naiveMinishardRange(
  index: Uint8Array,
  { minishardBits }: ShardingSpec,
  minishard: number,
): Span | null | 'TRUNCATED' | 'BAD_HEADER' {
  if (16 * minishard + 16 > index.length) return 'TRUNCATED';
  const base = 16n * 2n ** BigInt(minishardBits);
  const [start, end] = [valueAt(index, 16 * minishard), valueAt(index, 16 * minishard + 8)];
  if (start === end) return null;
  return start > end || base + end >= LIMIT ? 'BAD_HEADER' : [base + start, base + end];
}

/** Returns the byte ranges by chunk ID, or the error code. */
export function naiveMinishard(
  bytes: Uint8Array,
  { minishardBits }: ShardingSpec,
): Map<bigint, Span> | 'TRUNCATED' | 'BAD_HEADER' {
  if (bytes.length % 24 !== 0) return 'TRUNCATED';
  const n = bytes.length / 24;
  const base = 16n * 2n ** BigInt(minishardBits);
  const chunks = new Map<bigint, Span>();
  let id = 0n,
    start = 0n,
    repeated = false;
  for (let i = 0; i < n; i++) {
    id = (id + valueAt(bytes, 8 * i)) % U64;
    start = (start + valueAt(bytes, 8 * (n + i))) % U64;
    const end = start + valueAt(bytes, 8 * (2 * n + i));
    if (base + end >= LIMIT) return 'BAD_HEADER';
    repeated ||= chunks.has(id);
    chunks.set(id, [base + start, base + end]);
    start = end;
  }
  return repeated ? 'BAD_HEADER' : chunks;
}
