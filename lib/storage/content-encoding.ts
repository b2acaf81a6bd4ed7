/** What a Content-Encoding says of stored bytes. */

/**
 * Names in it that are no coding of the bytes: `aws-chunked` was undone when the object was uploaded, some S3-compatible servers repeat
 * it; the others are what writers put where they meant "none", or the encoding of text.
 */
const NO_CODING = new Set(['', 'identity', 'none', 'binary', 'utf-8', 'utf8', 'aws-chunked']);

/** The codings that are around the bytes, outermost last, in lower case. */
const codingsIn = (contentEncoding: string | undefined): string[] =>
  (contentEncoding ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !NO_CODING.has(name));

/** The same as one text; undefined when there are none. */
export const normalizeContentEncoding = (contentEncoding: string | undefined): string | undefined =>
  codingsIn(contentEncoding).join(', ') || undefined;
