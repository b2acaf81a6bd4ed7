/**
 * Whether parts of a chunk are less work than all of it: the decision only, nothing is read here.
 *
 * Only of chunks whose values lie at known places (raw): their size is known beforehand, and their parts are asked for at once and take
 * one round trip, as the whole chunk does. compressed_segmentation is read whole. Its values take two round trips (the block header; then
 * the packed word with the block's table), and how large the chunk is only the first of them tells, so that all smaller chunks would pay a
 * round trip for nothing. With L for a round trip and B for the bandwidth, a single point would win where a chunk takes more than L * B as
 * stored: at 20 ms and 100 MB/s 2 MB, or 9 million voxels of 0.23 bytes as real labels have; at 10 ms and 25 MB/s 0.25 MB. At
 * PART_REQUEST_BYTES (three requests, less than half of the chunk) that is 1.5 MiB, or 7 million voxels: chunks of 128 x 128 x 128 are far
 * below, those of 256 x 256 x 256 (3.8 MB: 58 ms whole, 40 ms by parts) are above. Large ones are not stored without a bitstream by those who write
 * this encoding: CloudVolume makes it gzip unless told otherwise, which is a sixth of the bytes and cannot be read in parts
 * (bench/cseg-parts.ts).
 */
import type { ByteRange } from '../storage/store.ts';
import { mergeRanges } from './merge-ranges.ts';
import { PART_REQUEST_BYTES } from './request-weights.ts';

/** Parts must save at least this part of the chunk: what a read costs is known by half at best. */
const LEAST_SAVING = 1 / 2;
/** A smaller chunk comes about as fast as any part of it. */
const LEAST_CHUNK_BYTES = 1024 * 1024;
/** More values than this (one a point and channel) would hardly ever do with parts, and planning them has its price, too. */
export const MAX_VALUES_FOR_PARTS = 32;

/**
 * @param wanted Bytes of the chunk that somebody needs; not empty.
 * @returns What to read, ascending: each wanted range lies in one of these. undefined: the whole chunk is less work.
 */
export function planParts(
  wanted: readonly ByteRange[],
  chunkBytes: number,
): readonly ByteRange[] | undefined {
  if (chunkBytes <= LEAST_CHUNK_BYTES) return undefined;
  const parts = mergeRanges(wanted, { maxGapBytes: PART_REQUEST_BYTES, maxBytes: chunkBytes });
  const cost = parts.reduce((sum, { start, end }) => sum + end - start + PART_REQUEST_BYTES, 0);
  return cost < chunkBytes * LEAST_SAVING ? parts.map(({ start, end }) => ({ start, end })) : undefined;
}
