import { PathError, RequestError } from '../base/errors.ts';
import type { ByteRange, StoredObject } from './store.ts';

/**
 * The segments of a key, which often comes from a server: relative, never upwards, nothing that a file system or a URL reads
 * otherwise. A segment `.` says nothing and is left out.
 * @throws PathError BAD_PATH
 */
export function splitKey(key: string): string[] {
  const segments = key.split('/').filter((segment) => segment !== '.');
  const bad = (segment: string): boolean =>
    segment === '' || segment === '..' || /[\\\0\p{Surrogate}]/u.test(segment);
  if (segments.length === 0 || segments.some(bad))
    throw new PathError(
      'BAD_PATH',
      `${JSON.stringify(key)} is no key: it may not be absolute or hold empty segments, "..", backslashes or NUL`,
    );
  return segments;
}

/** A key as a URL path: every segment percent-encoded, so that `#`, `?` and `%` stay what they are. */
export const encodeKey = (key: string): string => splitKey(key).map(encodeSegment).join('/');

/** All but RFC 3986's unreserved characters: signatures of S3 are made of the path in this spelling. */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export const tooLargeError = (url: string, maxBytes: number): RequestError =>
  new RequestError('TOO_LARGE', `${url}: more than the ${maxBytes} bytes expected`, url);

export const beyondEndError = (url: string, { start, end }: ByteRange, status?: number): RequestError =>
  new RequestError(
    'BAD_RESPONSE',
    `${url}: bytes ${start} to ${end} begin at or beyond the end of the object`,
    url,
    status,
  );

/**
 * The part of an object of `size` bytes that a range names, as HTTP has it: cut at the end, an error when it begins there.
 * @throws RequestError BAD_RESPONSE
 */
export function clipRange(url: string, range: ByteRange, size: number): ByteRange {
  if (range.start >= size) throw beyondEndError(url, range);
  return { start: range.start, end: Math.min(range.end, size) };
}

/**
 * A range of no bytes is answered without asking; whether the object exists stays open.
 * @throws RangeError when the range is none.
 */
export function answerEmptyRange(range: ByteRange | undefined): StoredObject | undefined {
  if (!range) return undefined;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start)
    throw new RangeError(`[${start}, ${end}) is no byte range`);
  return start === end ? { bytes: new Uint8Array(0), contentEncoding: undefined, range } : undefined;
}
