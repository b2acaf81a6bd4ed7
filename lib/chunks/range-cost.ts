/**
 * Decides whether parts of a chunk cost less than the whole chunk. Pure: nothing is read here.
 *
 * Only raw chunks are read in parts. Their values lie at known offsets, so all parts are requested at once
 * and take one round trip, like the whole chunk. compressed_segmentation is always read whole: each value
 * would take two round trips (the block header, then the packed word and the table), and only the first one
 * shows how large the chunk is. Parts would only pay for chunks of more than 1.5 MiB, about 7 million voxels
 * at 0.23 bytes per voxel. Chunks of that size are almost always stored with gzip, which cannot be read in
 * parts. bench/cseg-parts.ts has the measurements.
 */
import type { ByteRange } from '../storage/store.ts';
import { mergeRanges } from './merge-ranges.ts';
import { PART_REQUEST_BYTES } from './request-weights.ts';

/** Parts must save at least this share of the chunk: the cost of a read can only be estimated roughly. */
const LEAST_SAVING = 1 / 2;
/** A smaller chunk takes about as long as any part of it. */
const LEAST_CHUNK_BYTES = 1024 * 1024;
/**
 * Most values (one per point and channel) for which parts are considered. More values would rarely be cheaper
 * in parts.
 */
export const MAX_VALUES_FOR_PARTS = 32;

/**
 * Plans the parts to read of one chunk. Returns undefined if the whole chunk costs less.
 * @param wanted The ranges of the chunk that are needed; not empty.
 * @returns The parts in ascending order. Each wanted range lies in one of them.
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
