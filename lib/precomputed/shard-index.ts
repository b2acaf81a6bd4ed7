/**
 * Decodes the two levels of index of a shard file: the shard index locates each minishard index, and a
 * minishard index locates each chunk. All returned positions are absolute in the shard file and below 2^53.
 * Every value is checked before use.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md, "Shard index format" and "Minishard index
 * format".
 */
import { DecodeError } from '../base/errors.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ShardingSpec } from './sharding.ts';

/**
 * Bytes of one entry of the shard index. The entry of minishard k starts at byte
 * `k * SHARD_INDEX_ENTRY_BYTES` of the file.
 */
export const SHARD_INDEX_ENTRY_BYTES = 16;
const MINISHARD_INDEX_ENTRY_BYTES = 24;

/**
 * Returns the bytes of the whole shard index, which is at the start of the shard file. All offsets in the
 * file count from its end.
 */
export const shardIndexBytes = ({ minishardBits }: ShardingSpec): number =>
  SHARD_INDEX_ENTRY_BYTES * 2 ** minishardBits;

/**
 * Returns where the index of one minishard is stored; undefined if the minishard is empty.
 *
 * @param entries The shard index, or consecutive entries of it.
 * @param firstMinishard The minishard of the first entry in `entries`.
 * @throws DecodeError TRUNCATED (`entries` ends before the minishard's entry) or BAD_HEADER (an impossible
 *   range).
 */
export function minishardIndexRange(
  entries: Uint8Array,
  spec: ShardingSpec,
  minishard: number,
  firstMinishard = 0,
): ByteRange | undefined {
  const at = SHARD_INDEX_ENTRY_BYTES * (minishard - firstMinishard);
  if (at + SHARD_INDEX_ENTRY_BYTES > entries.byteLength)
    throw new DecodeError(
      'TRUNCATED',
      `minishard ${minishard}: its entry in the shard index ends at byte ${at + SHARD_INDEX_ENTRY_BYTES} of ${entries.byteLength}`,
    );
  const view = viewOf(entries);
  // The values are compared as stored: writers may mark an empty minishard with any value, even 2^64 - 1.
  if (view.getBigUint64(at, true) === view.getBigUint64(at + 8, true)) return undefined;
  const base = shardIndexBytes(spec);
  const start = base + uint64(view, at),
    end = base + uint64(view, at + 8);
  if (start > end || end > Number.MAX_SAFE_INTEGER)
    throw new DecodeError(
      'BAD_HEADER',
      `minishard ${minishard}: the shard index places its index at bytes ${start} to ${end}`,
    );
  return { start, end };
}

/** Where the chunks of one minishard are stored. It takes 24 bytes per chunk. */
export interface MinishardIndex {
  /** Chunk IDs in ascending order: one pair of uint32 per chunk, low word first. */
  ids: Uint32Array;
  /** First byte of each chunk in the shard file. */
  starts: Float64Array;
  /** The byte after each chunk; equal to its start if the chunk has no bytes. */
  ends: Float64Array;
}

/**
 * Decodes a minishard index into fresh memory. IDs and offsets are stored as differences modulo 2^64. A
 * difference may be negative, because TensorStore writes the chunks of a minishard in any order. An ID must
 * not occur twice.
 *
 * @param bytes The index, already decompressed (see `minishardIndexEncoding`).
 * @param minishard The number of the minishard, for errors.
 * @throws DecodeError TRUNCATED (not a whole number of entries) or BAD_HEADER (an impossible range, or an ID
 *   that occurs twice).
 */
export function decodeMinishardIndex(
  bytes: Uint8Array,
  spec: ShardingSpec,
  minishard: number,
): MinishardIndex {
  if (bytes.byteLength % MINISHARD_INDEX_ENTRY_BYTES !== 0)
    throw new DecodeError(
      'TRUNCATED',
      `minishard ${minishard}: an index of ${bytes.byteLength} bytes is not a whole number of entries of ${MINISHARD_INDEX_ENTRY_BYTES} bytes`,
    );
  const count = bytes.byteLength / MINISHARD_INDEX_ENTRY_BYTES;
  const view = viewOf(bytes);
  const base = shardIndexBytes(spec);
  const index: MinishardIndex = {
    ids: new Uint32Array(2 * count),
    starts: new Float64Array(count),
    ends: new Float64Array(count),
  };
  const { ids, starts, ends } = index;
  let low = 0,
    high = 0,
    position = base,
    ascending = true;
  for (let i = 0; i < count; i++) {
    const previousLow = low,
      previousHigh = high;
    const sum = low + view.getUint32(8 * i, true);
    low = sum >>> 0;
    high = (high + view.getUint32(8 * i + 4, true) + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    if (i > 0 && (high < previousHigh || (high === previousHigh && low <= previousLow))) ascending = false;
    ids[2 * i] = low;
    ids[2 * i + 1] = high;
    const start = position + int64(view, 8 * (count + i));
    const end = start + uint64(view, 8 * (2 * count + i));
    if (start < base || end > Number.MAX_SAFE_INTEGER)
      throw new DecodeError(
        'BAD_HEADER',
        `minishard ${minishard}: its index places chunk ${formatChunkId(low, high)} at bytes ${start} to ${end}`,
      );
    starts[i] = start;
    ends[i] = position = end;
  }
  return ascending ? index : sortById(index, minishard);
}

/** Returns where a chunk is stored; undefined if the minishard does not list it. */
export function findChunk(
  { ids, starts, ends }: MinishardIndex,
  low: number,
  high: number,
): ByteRange | undefined {
  let from = 0,
    to = starts.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (ids[2 * middle + 1] < high || (ids[2 * middle + 1] === high && ids[2 * middle] < low))
      from = middle + 1;
    else to = middle;
  }
  return from < starts.length && ids[2 * from] === low && ids[2 * from + 1] === high
    ? { start: starts[from], end: ends[from] }
    : undefined;
}

function sortById({ ids, starts, ends }: MinishardIndex, minishard: number): MinishardIndex {
  const compare = (a: number, b: number): number =>
    ids[2 * a + 1] - ids[2 * b + 1] || ids[2 * a] - ids[2 * b];
  const order = Uint32Array.from(starts.keys()).sort(compare);
  for (let i = 1; i < order.length; i++)
    if (compare(order[i - 1], order[i]) === 0)
      throw new DecodeError(
        'BAD_HEADER',
        `minishard ${minishard}: its index lists chunk ${formatChunkId(ids[2 * order[i]], ids[2 * order[i] + 1])} twice`,
      );
  const sorted = new Uint32Array(ids.length);
  order.forEach((from, i) => sorted.set(ids.subarray(2 * from, 2 * from + 2), 2 * i));
  return {
    ids: sorted,
    starts: Float64Array.from(order, (from) => starts[from]),
    ends: Float64Array.from(order, (from) => ends[from]),
  };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/**
 * Reads a uint64. Values above 2^53 are rounded, but never below 2^53, so a value that is too large stays too
 * large.
 */
const uint64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;

/**
 * Reads a uint64 as a signed number. For every sum below 2^53, adding it equals adding the unsigned number
 * modulo 2^64.
 */
const int64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getInt32(at + 4, true) * 0x1_0000_0000;

/** Formats a chunk ID in decimal, for messages. */
export const formatChunkId = (low: number, high: number): string =>
  ((BigInt(high) << 32n) | BigInt(low)).toString();
