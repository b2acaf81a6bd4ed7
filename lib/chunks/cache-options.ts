/** In what ways chunks may be kept. */

/**
 * When something is asked about what is kept: `never`; `info`, when the volume's info is another one than it was; `always`, each time, of
 * the object it came from.
 */
export const REVALIDATIONS = ['never', 'info', 'always'] as const;
export type Revalidation = (typeof REVALIDATIONS)[number];

/** In the encoding they are stored in, or raw ones of labels as compressed_segmentation, where that is smaller. */
export const LRU_ENCODINGS = ['same', 'compressed_segmentation'] as const;
export type LruEncoding = (typeof LRU_ENCODINGS)[number];
