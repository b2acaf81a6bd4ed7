/** The values of the options `revalidate` and `lruEncoding`. */

/** The values of the option `revalidate`. */
export const REVALIDATIONS = ['never', 'info', 'always'] as const;
/**
 * When to check entries of the disk cache.
 * - `never`: not at all.
 * - `info`: drop the entries if the info of the volume has changed.
 * - `always`: request each object at every use, to see whether it has changed.
 */
export type Revalidation = (typeof REVALIDATIONS)[number];

/** The values of the option `lruEncoding`. */
export const LRU_ENCODINGS = ['same', 'compressed_segmentation'] as const;
/**
 * How the memory cache keeps chunks: `same`, in the encoding of the volume, or `compressed_segmentation`,
 * which converts raw chunks of labels if that makes them smaller.
 */
export type LruEncoding = (typeof LRU_ENCODINGS)[number];
