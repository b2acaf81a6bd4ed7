/**
 * The interface of a store: bytes by key. Each backend is one file in this folder and one line in
 * `open-store.ts`.
 */
import type { Stop } from '../base/stop.ts';
import type { HttpMeter } from '../http/meter.ts';
import type { BodyWork } from '../http/remote-exchange.ts';

/** A range of the stored bytes: `start` is inclusive, `end` is exclusive. */
export interface ByteRange {
  /** The first byte. */
  start: number;
  /** The byte behind the last one. */
  end: number;
}

/** Counts what reads cost. The caller creates it, and the store adds to it. */
export interface Meter extends HttpMeter {
  /** HTTP requests sent or files opened, including retries. */
  requests: number;
  /** Bytes received, before decompression. */
  bytes: number;
  /** Replies with status 403 that were treated as "not found"; see {@link ReadOptions.absentBy403}. */
  absentBy403: number;
}

/** Creates a meter with all counts at 0. */
export const newMeter = (): Meter => ({ requests: 0, bytes: 0, absentBy403: 0 });

/** Options of one read. */
export interface ReadOptions {
  /** The bytes to read. The store may ignore it and return the whole object. @default the whole object */
  range?: ByteRange;
  /** Ends the read with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Stops the read, too. A store that knows it need not read `signal`, which is made on first use.
   * @internal
   */
  stop?: Stop;
  /**
   * Most stored bytes to read. A larger answer is an error, so that it never fills the memory.
   * @default 64 MiB
   */
  maxBytes?: number;
  /**
   * Whether a reply with status 403 means "not found". The SDK sets it for chunks and shards once it could
   * read the info of the volume: a public bucket that does not allow listing answers 403 for missing keys.
   * Only gs:// and s3:// stores without credentials use it. @default false
   */
  absentBy403?: boolean;
  /** Counts the requests and bytes of the read. */
  meter?: Meter;
  /**
   * Whether the range may end beyond the end of the object. If the store does not know the size of the
   * object, it may then return fewer bytes. Without this option, fewer bytes are an error. @default false
   */
  mayBeCut?: boolean;
  /**
   * The validator of a version that the caller already has. A server may then answer that nothing has
   * changed. Other stores ignore it.
   */
  ifNoneMatch?: string;
  /**
   * Work for the thread that reads the object, if that is another thread. Other stores ignore it.
   * @internal
   */
  bodyWork?: BodyWork;
}

/** What a store returns for a key. */
export interface StoredObject {
  /** The bytes as stored: the content encoding is not undone. */
  bytes: Uint8Array;
  /**
   * How the bytes are compressed, in lower case, such as `gzip`, `br` or `zstd`. Undefined means not
   * compressed.
   */
  contentEncoding: string | undefined;
  /**
   * The range that `bytes` holds. Undefined means the whole object, also if a requested range was ignored.
   */
  range?: ByteRange;
  /** With `range`: the size of the whole object in bytes, if the store knows it. */
  totalBytes?: number;
  /**
   * Names this version of the object, for example its ETag, if the store knows one. Another version has
   * another validator. Ranges that were read at different times belong together only if their validators are
   * equal.
   */
  validator?: string;
  /** Set if the object is still the version of `ifNoneMatch`. Then `bytes` is empty. */
  notModified?: true;
  /**
   * The result of {@link ReadOptions.bodyWork}, if another thread did it.
   * @internal
   */
  workResult?: unknown;
  /**
   * With a `workResult`: the number of stored bytes. They may have stayed in the other thread; `bytes` is empty
   * then.
   * @internal
   */
  storedBytes?: number;
}

/**
 * Reads bytes by key. Pass your own store as the option `storage` of `openPrecomputed` or `openGraphene`. The
 * SDK checks what it returns.
 *
 * @example
 * const files = new Map<string, Uint8Array>();
 * const storage: Store = {
 *   url: 'own://files',
 *   async read(key) {
 *     const bytes = files.get(key);
 *     return bytes && { bytes, contentEncoding: undefined };
 *   },
 * };
 */
export interface Store {
  /** Where the store is, for messages: without credentials, query or trailing slash. */
  readonly url: string;
  /**
   * Reads the object at `key`. Resolves with undefined if it is not found (404, ENOENT).
   * @throws RequestError for every other failure; `signal.reason` on abort.
   */
  read(key: string, options?: ReadOptions): Promise<StoredObject | undefined>;
  /**
   * Returns everything except the URL that decides what the store returns, such as the credentials, as a JSON
   * value. It may contain secrets: only its hash is used. A store without this method is not kept in the disk
   * cache.
   */
  identity?(): Promise<unknown>;
  /**
   * Whether the folder or bucket exists, if the store knows without a request. A missing object is a normal
   * answer; a missing folder is probably a wrong path.
   */
  exists?(): boolean;
  /**
   * Lists all keys that begin with a prefix, which may end inside a name. A store that cannot list has no such
   * method. Only OCDBT databases with numbered manifests need it.
   */
  list?(prefix: string, options?: { signal?: AbortSignal }): Promise<string[]>;
  /** The server behind the store, if there is one. Decides which addresses the volume's info may name. */
  readonly server?: StoreServer | undefined;
}

/** The server behind a store. */
export interface StoreServer {
  /** Scheme, host and port. */
  origin: string;
  /** The host without the port. */
  hostname: string;
  /** The IP address of the last reply, if known. */
  address: string | undefined;
}

/** Whether the option `storage` is a store, not storage options. */
export const isStore = (value: unknown): value is Store =>
  typeof (value as Store | null | undefined)?.read === 'function';
