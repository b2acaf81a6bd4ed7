/** Reads the Content-Encoding of stored objects. */

/**
 * Names that do not mean that the bytes are encoded. `aws-chunked` only applies to the upload, but some
 * S3-compatible servers repeat it. Some writers use the other names for "none", or confuse a text encoding
 * with a content encoding.
 */
const NO_ENCODING = new Set(['', 'identity', 'none', 'binary', 'utf-8', 'utf8', 'aws-chunked']);

/** Lists the encodings of the bytes in lower case, the outermost last. */
const listEncodings = (contentEncoding: string | undefined): string[] =>
  (contentEncoding ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !NO_ENCODING.has(name));

/**
 * Returns a Content-Encoding in lower case without the names that mean nothing; undefined if no other name
 * remains.
 */
export const normalizeContentEncoding = (contentEncoding: string | undefined): string | undefined =>
  contentEncoding === undefined || contentEncoding === 'gzip' // what nearly all chunks have
    ? contentEncoding
    : listEncodings(contentEncoding).join(', ') || undefined;
