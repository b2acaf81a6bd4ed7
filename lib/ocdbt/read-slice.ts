/** Reads a range of a data file. */
import { DecodeError, RequestError } from '../base/errors.ts';
import { decompress } from '../compression/decompress.ts';
import { DEFAULT_MAX_BYTES } from '../http/http-request.ts';
import type { ByteRange, ReadOptions, Store } from '../storage/store.ts';

/** The options of a read that are the caller's. Not a `Pick`: the public declarations leave out `stop`. */
export type SliceOptions = Omit<ReadOptions, Exclude<keyof ReadOptions, 'signal' | 'stop' | 'meter'>>;

/**
 * Reads a range of an object that must exist, and be long enough. A store that ignores ranges, or keeps the
 * object compressed, sends the whole object, up to 64 MiB.
 * @throws RequestError DATA_MISSING, or that of the store; DecodeError TRUNCATED; `signal.reason`.
 */
export async function readSlice(
  store: Store,
  key: string,
  { start, end }: ByteRange,
  options: SliceOptions,
): Promise<Uint8Array> {
  const { signal, stop, meter } = options;
  const url = `${store.url}/${key}`,
    maxBytes = Math.max(DEFAULT_MAX_BYTES, end - start);
  const object = await store.read(key, { range: { start, end }, signal, stop, meter, maxBytes });
  if (!object)
    throw new RequestError(
      'DATA_MISSING',
      `${url} is not there, but the OCDBT database refers to bytes ${start} to ${end} of it`,
      url,
    );
  const { bytes, contentEncoding, range } = object;
  if (contentEncoding && range)
    throw new DecodeError(
      'UNSUPPORTED',
      `${url}: bytes ${start} to ${end} came with the content encoding ${contentEncoding}, which hides where they begin`,
    );
  const held = await decompress(bytes, contentEncoding, { maxBytes, signal, stop }),
    from = start - (range?.start ?? 0);
  if (from < 0 || held.byteLength - from < end - start)
    throw new DecodeError('TRUNCATED', `${url} ends before byte ${end}, which the OCDBT database refers to`);
  return held.subarray(from, from + end - start);
}
