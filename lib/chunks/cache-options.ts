/** The values of the options `revalidate` and `lruEncoding`. */

/** The values of the option `revalidate`. */
export const REVALIDATIONS = ['never', 'info', 'always'] as const satisfies readonly Revalidation[];
/**
 * When to check entries of the disk cache.
 * - `never`: not at all.
 * - `info`: drop the entries if the info of the volume has changed.
 * - `always`: request each object at every use, to see whether it has changed.
 */
export type Revalidation = 'never' | 'info' | 'always';

/** The values of the option `lruEncoding`. */
export const LRU_ENCODINGS = [
  'same',
  'compressed_segmentation',
  'decoded',
] as const satisfies readonly LruEncoding[];
/**
 * How the memory cache keeps chunks.
 * - `same`: in the encoding of the volume.
 * - `compressed_segmentation`: raw chunks of labels in that encoding, if that makes them smaller.
 * - `decoded`: chunks of images and floats decoded. A second read is quick, and the chunks take more memory.
 */
export type LruEncoding = 'same' | 'compressed_segmentation' | 'decoded';
