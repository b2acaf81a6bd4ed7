/** The objects of a bucket, wherever they are kept. */
export interface StoredFile {
  /** The bytes as stored. */
  bytes: Uint8Array;
  /** The Content-Encoding under which the bytes are stored. @default none */
  contentEncoding?: string;
}

/** The file at a key, or undefined when there is none. */
export type FileSource = (key: string) => StoredFile | undefined;

/** How a file on disk says what object stores keep as its Content-Encoding. */
export const SUFFIXES = [
  ['', undefined],
  ['.gz', 'gzip'],
  ['.br', 'br'],
  ['.zstd', 'zstd'],
] as const;
