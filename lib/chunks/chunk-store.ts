/** A volume's store as its chunks are read from: knows when a 403 means "no such chunk". */
import { RequestError } from '../base/errors.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { Meter, ReadOptions, Store, StoredObject } from '../storage/store.ts';
import type { StoredChunk } from './chunk-source.ts';

/** What is in a stored chunk at most, exactly where the encoding fixes it, and what is made of it before it is read. */
export function describeContent(
  codec: Codec,
  layout: ChunkLayout,
): Pick<StoredChunk, 'maxBytes' | 'exactBytes' | 'decode'> {
  const exactBytes = codec.exactBytes?.(layout);
  return {
    maxBytes: exactBytes ?? codec.maxBytes(layout),
    exactBytes,
    decode: codec.decodeChunk && ((bytes) => codec.decodeChunk!(bytes, layout)),
  };
}

export class ChunkStore {
  readonly #store: Store;
  #infoReadable: Promise<boolean> | undefined;

  /** @param infoWasRead The store's own info is known to be readable; false asks once when it matters. */
  constructor(store: Store, infoWasRead: boolean) {
    this.#store = store;
    if (infoWasRead) this.#infoReadable = Promise.resolve(true);
  }

  /** For messages: no credentials. */
  get url(): string {
    return this.#store.url;
  }

  /** As {@link Store.read}: 403 is absent where a public bucket answers so for what is missing. */
  async read(key: string, options: ReadOptions): Promise<StoredObject | undefined> {
    const absentBy403 = await this.#infoReadable;
    try {
      return await this.#store.read(key, { ...options, absentBy403 });
    } catch (error) {
      // Chunks that were asked for before anybody knew share one look at the info, and then ask again.
      if (
        absentBy403 ||
        !(error instanceof RequestError && error.status === 403) ||
        !(await this.#askInfo(options.meter))
      )
        throw error;
      return this.#store.read(key, { ...options, absentBy403: true });
    }
  }

  #askInfo(meter: Meter | undefined): Promise<boolean> {
    return (this.#infoReadable ??= this.#store.read('info', { meter }).then(
      (info) => info !== undefined,
      (error: unknown) => {
        // may pass: the next 403 asks again
        if (!(error instanceof RequestError && error.status === 403)) this.#infoReadable = undefined;
        return false;
      },
    ));
  }
}
