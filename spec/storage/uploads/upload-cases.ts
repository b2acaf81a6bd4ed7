/** What the specs of uploads share: a writer of a mocked bucket, and sources of bytes. */
import { createHash } from 'node:crypto';
import { createHttpClient } from '../../../lib/failures/http-client.ts';
import type { HttpClient } from '../../../lib/http/http-request.ts';
import { HttpStore } from '../../../lib/storage/http-store.ts';
import type { OpenStoreOptions } from '../../../lib/storage/open-options.ts';
import { openObject } from '../../../lib/storage/open-object.ts';
import type {
  ClaimedObject,
  UploadOptions,
  UploadSource,
} from '../../../lib/storage/uploads/object-writer.ts';

export const bytesOf = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, k) => (k * 7 + (k >>> 9)) & 255));

export const sourceOf = (bytes: Uint8Array, more: Partial<UploadSource> = {}): UploadSource => ({
  size: bytes.length,
  contentType: 'text/csv',
  md5: createHash('md5').update(bytes).digest(),
  read: (into, offset) => Promise.resolve(into.set(bytes.subarray(offset, offset + into.length))),
  ...more,
});

/** Opens the writer of an object. What is left behind goes to `warnings`. */
export function uploader(
  path: string,
  { retries = 1, ...options }: Partial<OpenStoreOptions> & { retries?: number },
): { http: HttpClient; warnings: string[]; claim: (options?: UploadOptions) => Promise<ClaimedObject> } {
  const http = createHttpClient({ retries, backoffMs: 1 }),
    warnings: string[] = [];
  const { store, key } = openObject(path, { http, access: 'write', env: {}, ...options });
  return {
    http,
    warnings,
    claim: (more) =>
      (store as HttpStore).writer!.claim(key, {
        warn: (message) => warnings.push(message),
        retries,
        backoffMs: 1,
        ...more,
      }),
  };
}
