/** Checks of keys and byte ranges that all stores share, and their errors. */
import { PathError, RequestError } from '../base/errors.ts';
import type { ByteRange, StoredObject } from './store.ts';

/**
 * Splits a key into its segments. Keys often come from a server, so a key must be relative, must not lead
 * upwards, and must not have characters that a file system or a URL interprets. Segments `.` are dropped.
 * @throws PathError BAD_PATH
 */
export function splitKey(key: string): string[] {
  const segments = key.split('/').filter((segment) => segment !== '.');
  const isBad = (segment: string): boolean =>
    segment === '' || segment === '..' || /[\\\0\p{Surrogate}]/u.test(segment);
  if (segments.length === 0 || segments.some(isBad))
    throw new PathError(
      'BAD_PATH',
      `${JSON.stringify(key)} is not a valid key: a key may not be absolute or contain empty segments, "..", backslashes or NUL`,
    );
  return segments;
}

/** Keys that are their own encoding, as those of chunks are. */
const PLAIN_KEY = /^(?:[\w~-][\w.~-]*\/)*[\w~-][\w.~-]*$/;

/** Encodes a key as a URL path. Every segment is percent-encoded, including `#`, `?` and `%`. */
export const encodeKey = (key: string): string =>
  PLAIN_KEY.test(key) ? key : splitKey(key).map(encodeSegment).join('/');

/**
 * Encodes all characters except the unreserved ones of RFC 3986. S3 signatures cover the path in this form.
 */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Makes the error for an object that is larger than `maxBytes`. */
export const tooLargeError = (url: string, maxBytes: number): RequestError =>
  new RequestError('TOO_LARGE', `${url}: more than the ${maxBytes} bytes expected`, url);

/** Makes the error for a range that starts at or beyond the end of the object. */
export const beyondEndError = (url: string, { start, end }: ByteRange, status?: number): RequestError =>
  new RequestError(
    'BAD_RESPONSE',
    `${url}: bytes ${start} to ${end} begin at or beyond the end of the object`,
    url,
    status,
  );

/**
 * Cuts a range at the end of an object of `size` bytes, as HTTP does.
 * @throws RequestError BAD_RESPONSE if the range starts at or beyond the end.
 */
export function clipRange(url: string, range: ByteRange, size: number): ByteRange {
  if (range.start >= size) throw beyondEndError(url, range);
  return { start: range.start, end: Math.min(range.end, size) };
}

/**
 * Answers a range of zero bytes without a request, whether the object exists or not. Returns undefined for
 * any other range.
 * @throws RangeError if the range is not valid.
 */
export function answerEmptyRange(range: ByteRange | undefined): StoredObject | undefined {
  if (!range) return undefined;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start)
    throw new RangeError(`[${start}, ${end}) is not a byte range`);
  return start === end ? { bytes: new Uint8Array(0), contentEncoding: undefined, range } : undefined;
}
