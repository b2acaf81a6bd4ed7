/**
 * Whether parts of a chunk are less work than all of it: the decision only, nothing is read here.
 *
 * Only of chunks whose values lie at known places (raw): their parts are asked for at once and take one round trip, as the whole chunk
 * does. A value of compressed_segmentation takes three that wait for one another (block header, packed word, table entry), so that even
 * a single point would win by parts only where a chunk takes longer than two more round trips to come: at 20 ms and 100 MB/s that is
 * 4 MB as stored, and chunks of this encoding are made to be a tenth of that. They are read whole.
 */
import type { ByteRange } from '../storage/store.ts';
import { mergeRanges } from './merge-ranges.ts';

/**
 * What each request weighs, in bytes that could be read instead: an object store takes some 10 ms before its first byte and then sends
 * some 25 MB/s on one connection.
 */
export const REQUEST_COST_BYTES = 256 * 1024;
/** Parts must save at least this part of the chunk: what a read costs is known by half at best. */
const LEAST_SAVING = 1 / 2;
/** A smaller chunk comes about as fast as any part of it. */
const LEAST_CHUNK_BYTES = 1024 * 1024;
/** More values than this (one a point and channel) would hardly ever do with parts, and planning them has its price, too. */
export const MAX_PARTS_VALUES = 32;

/**
 * @param wanted Bytes of the chunk that somebody needs; not empty.
 * @returns What to read, ascending: each wanted range lies in one of these. undefined: the whole chunk is less work.
 */
export function planParts(wanted: readonly ByteRange[], chunkBytes: number): readonly ByteRange[] | undefined {
  if (chunkBytes <= LEAST_CHUNK_BYTES) return undefined;
  const parts = mergeRanges(wanted, { maxGapBytes: REQUEST_COST_BYTES, maxBytes: chunkBytes });
  const cost = parts.reduce((sum, { start, end }) => sum + end - start + REQUEST_COST_BYTES, 0);
  return cost < chunkBytes * LEAST_SAVING ? parts.map(({ start, end }) => ({ start, end })) : undefined;
}
