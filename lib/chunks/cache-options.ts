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
export const LRU_ENCODINGS = ['same', 'compressed_segmentation'] as const satisfies readonly LruEncoding[];
/**
 * How the memory cache keeps chunks: `same`, in the encoding of the volume, or `compressed_segmentation`,
 * which converts raw chunks of labels if that makes them smaller.
 */
export type LruEncoding = 'same' | 'compressed_segmentation';
