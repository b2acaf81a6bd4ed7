/** What every backend is: bytes by key. A backend is one file in this room and one line in `open.ts`. */
import type { HttpMeter } from '../http/meter.ts';

/** Bytes `start` (inclusive) to `end` (exclusive) of the stored object. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What a read cost; the caller owns it, the store adds to it. */
export interface Meter extends HttpMeter {
  /** HTTP requests sent or files opened, repeats included. */
  requests: number;
  /** Body bytes received, as stored. */
  bytes: number;
  /** 403 answers taken for an absent object (see {@link ReadOptions.absentBy403}). */
  absentBy403: number;
}

export const newMeter = (): Meter => ({ requests: 0, bytes: 0, absentBy403: 0 });

export interface ReadOptions {
  range?: ByteRange;
  signal?: AbortSignal;
  /** More stored bytes than this is an error, not an allocation. @default 64 MiB */
  maxBytes?: number;
  /**
   * The key names a chunk or a shard of a volume whose info was readable: an unsigned gs:// or s3:// store takes 403 for
   * absent then, because such buckets answer 403 for missing keys when listing is not allowed. Other stores ignore it.
   */
  absentBy403?: boolean;
  meter?: Meter;
  /**
   * The range may reach beyond the end. Where the store does not know how large the object is, fewer bytes are an answer then, and nothing
   * says whether more follow; otherwise they are an error.
   */
  mayBeCut?: boolean;
  /** The validator of the version that is here already; a server may then answer that nothing has changed. Other stores ignore it. */
  ifNoneMatch?: string;
}

export interface StoredObject {
  /** As stored: the content encoding is still around them. */
  bytes: Uint8Array;
  /** `gzip`, `br`, `zstd`, `x`… as the header or the file's suffix says, lower case; undefined for none. */
  contentEncoding: string | undefined;
  /** The part of the object that `bytes` is; undefined when it is the whole object (also when a range was ignored). */
  range?: ByteRange;
  /** With `range`: how large the whole object is, where the store knows. */
  totalBytes?: number;
  /**
   * Tells this version of the object from others, where the store can: another one, other bytes. An ETag, or what else the store knows
   * versions by. Parts of an object that were read at different times belong together only where it is the same.
   */
  validator?: string;
  /** The version is still the one of `ifNoneMatch`; there are no bytes. */
  notModified?: true;
}

export interface Store {
  /** Where the store is, for messages: no credentials, no query, no trailing slash. */
  readonly url: string;
  /**
   * The object at `key`, or undefined when there is none (404, ENOENT).
   * @throws RequestError for every other failure; `signal.reason` on abort.
   */
  read(key: string, options?: ReadOptions): Promise<StoredObject | undefined>;
  /**
   * What answers depend on beside the URL, as JSON can say it: who asks, say. Another one, other answers. It may hold secrets: only its hash
   * is used. Stores without it are not kept on disk.
   */
  identity?(): Promise<unknown>;
  /** Whether the place is there at all, where the store can tell without a request. Objects that are not stored are an answer; a place that is not there is a mistake. */
  exists?(): boolean;
  /** Of stores that a server answers for: what it may name beside itself depends on where it is. */
  readonly server?: StoreServer;
}

export interface StoreServer {
  /** Scheme, host and port. */
  origin: string;
  hostname: string;
  /** The IP address that the last answer came from, where it is known. */
  address: string | undefined;
}

/** Rather than options of one. */
export const isStore = (value: unknown): value is Store =>
  typeof (value as Store | null | undefined)?.read === 'function';
