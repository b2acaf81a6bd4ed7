/** The objects of a mocked bucket, in memory or on disk. */

/** An object of a bucket. */
export interface StoredFile {
  /** Content as stored, in its Content-Encoding. */
  bytes: Uint8Array;
  /** Content-Encoding of `bytes`, such as `gzip`. @default none */
  contentEncoding?: string;
  /** @default 'application/octet-stream' */
  contentType?: string;
  /** The ETag in quotes. @default the MD5 of `bytes` */
  etag?: string;
}

/** Finds the file of a key; undefined when it does not exist. */
export type FileSource = (key: string) => StoredFile | undefined;

/** The suffixes of files on disk, with the Content-Encoding that each means. */
export const SUFFIXES = [
  ['', undefined],
  ['.gz', 'gzip'],
  ['.br', 'br'],
  ['.zstd', 'zstd'],
] as const;
