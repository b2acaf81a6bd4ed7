/** Reads chunks from the store of a volume. Decides whether status 403 means that a chunk is not stored. */
import { RequestError } from '../base/errors.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { Meter, ReadOptions, Store, StoredObject } from '../storage/store.ts';
import type { ChunkContent } from './chunk-source.ts';

/** Returns what is known of a chunk before it is read. */
export function describeContent(codec: Codec, layout: ChunkLayout): ChunkContent {
  const exactBytes = codec.exactBytes?.(layout);
  return { maxBytes: exactBytes ?? codec.maxBytes(layout), exactBytes, encoding: codec.encoding, layout };
}

/** A store for chunks and shards. */
export class ChunkStore {
  readonly #store: Store;
  /** Whether the info is known to be readable. */
  #isReadable: boolean;
  #infoReadable: Promise<boolean> | undefined;

  /**
   * @param infoWasRead Whether the info in this store is known to be readable. If not, it is read at the
   *   first 403.
   */
  constructor(store: Store, infoWasRead: boolean) {
    this.#store = store;
    this.#isReadable = infoWasRead;
  }

  /** The URL of the store, for messages. It contains no credentials. */
  get url(): string {
    return this.#store.url;
  }

  /**
   * Reads as {@link Store.read}, and sets `options.absentBy403`. If the info of the volume is readable,
   * status 403 means that the object is not stored.
   */
  read(key: string, options: ReadOptions): Promise<StoredObject | undefined> {
    if (!this.#isReadable) return this.#readUnsure(key, options);
    options.absentBy403 = true;
    return this.#store.read(key, options);
  }

  async #readUnsure(key: string, options: ReadOptions): Promise<StoredObject | undefined> {
    const absentBy403 = await this.#infoReadable;
    try {
      options.absentBy403 = absentBy403;
      return await this.#store.read(key, options);
    } catch (error) {
      // All chunks that met a 403 share one read of the info, and are then read again.
      if (
        absentBy403 ||
        !(error instanceof RequestError && error.status === 403) ||
        !(await this.#askInfo(options.meter))
      )
        throw error;
      options.absentBy403 = true;
      return this.#store.read(key, options);
    }
  }

  #askInfo(meter: Meter | undefined): Promise<boolean> {
    return (this.#infoReadable ??= this.#store.read('info', { meter }).then(
      (info) => (this.#isReadable = info !== undefined),
      (error: unknown) => {
        // A temporary failure: the next 403 reads the info again.
        if (!(error instanceof RequestError && error.status === 403)) this.#infoReadable = undefined;
        return false;
      },
    ));
  }
}
