/** The interface of a writer of objects: each object is there whole, or not at all. Its code is loaded when one is written. */
import type { RetryOptions } from '../../failures/retry-counter.ts';
import { importPackage } from '../../http/import-package.ts';

/** What an object will hold. */
export interface UploadSource {
  /** In bytes. */
  readonly size: number;
  readonly contentType: string;
  /** The MD5 digest of all bytes. */
  readonly md5: Uint8Array;
  /** Fills an array with the bytes from an offset on. */
  read(bytes: Uint8Array, offset: number): Promise<void>;
}

/** How an object is written. */
export interface UploadOptions extends Pick<RetryOptions, 'retries' | 'backoffMs'> {
  /** Ends the upload, until the server is asked to make the object of what it has received. */
  signal?: AbortSignal;
  /** Called with what an upload has left behind, if it could not be removed. */
  warn?: (message: string) => void;
  /** The bytes of one request. @default 16 MiB, more for objects of more than 156 GiB */
  partBytes?: number;
}

/** An object that may be written. */
export interface ClaimedObject {
  /**
   * Writes the object. It replaces the version that was there when the object was claimed, and no other.
   * @throws RequestError, with the status 412 or 409 if another program has written the object; CredentialsError;
   *   `signal.reason`. Nothing is visible then, and no unfinished upload is left.
   */
  upload(source: UploadSource): Promise<void>;
}

/** Writes the objects of one bucket. */
export interface ObjectWriter {
  /**
   * Notes which version is there, and begins and ends an upload, so that a missing permission is found before
   * any work.
   * @throws RequestError, CredentialsError, `signal.reason`.
   */
  claim(key: string, options?: UploadOptions): Promise<ClaimedObject>;
}

/** A writer that is loaded for its first object. A failed load is retried at the next one. */
export function lazyWriter(load: () => Promise<ObjectWriter>): ObjectWriter {
  let loading: Promise<ObjectWriter> | undefined;
  return {
    claim: async (key, options) => {
      loading ??= importPackage(load);
      loading.catch(() => (loading = undefined));
      return (await loading).claim(key, options);
    },
  };
}
