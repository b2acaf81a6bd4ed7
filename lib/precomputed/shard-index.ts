/**
 * The two levels of index of a shard file: the shard index says where each minishard index is, that one where each chunk is.
 * Every position that comes out is absolute in the shard file and below 2^53; nothing is trusted before it was checked.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md, "Shard index format" and "Minishard index format".
 */
import { DecodeError } from '../base/errors.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ShardingSpec } from './sharding.ts';

/** Bytes of one entry of the shard index; that of minishard k starts at `k * SHARD_INDEX_ENTRY_BYTES` of the file. */
export const SHARD_INDEX_ENTRY_BYTES = 16;
const MINISHARD_INDEX_ENTRY_BYTES = 24;

/** Bytes of the whole shard index, at the start of the shard file. All offsets in the file count from its end. */
export const shardIndexBytes = ({ minishardBits }: ShardingSpec): number =>
  SHARD_INDEX_ENTRY_BYTES * 2 ** minishardBits;

/**
 * Where the index of one minishard is stored; undefined when the minishard is empty.
 *
 * @param entries The shard index, or a run of its entries.
 * @param firstMinishard Whose entry `entries` starts with.
 * @throws DecodeError TRUNCATED (`entries` ends before the minishard's) or BAD_HEADER (no possible range).
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
  // Compared as stored: writers may mark an empty minishard with any value, 2^64 - 1 included.
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

/** Where the chunks of one minishard are stored. 24 bytes a chunk. */
export interface MinishardIndex {
  /** Chunk IDs in ascending order: a pair of uint32 each, low word first. */
  ids: Uint32Array;
  /** First byte of each chunk in the shard file. */
  starts: Float64Array;
  /** Where each chunk ends; equal to its start when it is stored as no bytes at all. */
  ends: Float64Array;
}

/**
 * IDs and offsets are differences modulo 2^64, as every reader of the format adds them up: TensorStore's encoder takes the chunks of a
 * minishard in any order, so a difference may be negative. An ID must not occur twice.
 *
 * @param bytes The decoded index (`minishardIndexEncoding` undone); fresh memory is returned.
 * @param minishard Its number, for messages.
 * @throws DecodeError TRUNCATED (no whole number of entries) or BAD_HEADER (an impossible range, an ID twice).
 */
export function decodeMinishardIndex(
  bytes: Uint8Array,
  spec: ShardingSpec,
  minishard: number,
): MinishardIndex {
  if (bytes.byteLength % MINISHARD_INDEX_ENTRY_BYTES !== 0)
    throw new DecodeError(
      'TRUNCATED',
      `minishard ${minishard}: an index of ${bytes.byteLength} bytes is no whole number of entries of ${MINISHARD_INDEX_ENTRY_BYTES}`,
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

/** Where a chunk is stored, by binary search; undefined when the minishard does not list it. */
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

/** Rounded from 2^53 up, and never to less than that: what is too large stays too large. */
const uint64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;

/** The same bytes as a signed number: adding it equals adding the unsigned one modulo 2^64, for every sum below 2^53. */
const int64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getInt32(at + 4, true) * 0x1_0000_0000;

/** A chunk ID in decimal, for messages. */
export const formatChunkId = (low: number, high: number): string =>
  ((BigInt(high) << 32n) | BigInt(low)).toString();
