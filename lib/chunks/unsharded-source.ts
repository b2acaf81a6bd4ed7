/** One object a chunk: `KEY/x0-x1_y0-y1_z0-z1`. Source: Neuroglancer, src/datasource/precomputed/volume.md, "Unsharded chunk storage". */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { RequestError } from '../base/errors.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/info.ts';
import type { Meter, ReadOptions, Store, StoredObject } from '../storage/store.ts';
import type { ChunkSource, ReadContext, ReadTask } from './chunk-source.ts';

export interface UnshardedSourceOptions {
  store: Store;
  scale: Scale;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
  /** Whether the bucket's info is known to be readable, so that 403 may mean "no such chunk"; false asks once when it matters. */
  infoWasRead: boolean;
}

/** Stored bytes may be a little longer than what they hold: headers of a bitstream, incompressible content. */
const storedBound = (bytes: number): number => Math.ceil(bytes * 1.01) + 65_536;

export class UnshardedSource implements ChunkSource {
  readonly id: string;
  readonly #options: UnshardedSourceOptions;
  #infoReadable: Promise<boolean> | undefined;

  constructor(options: UnshardedSourceOptions) {
    this.#options = options;
    this.id = `${options.store.url}/${options.scale.key}`;
    if (options.infoWasRead) this.#infoReadable = Promise.resolve(true);
  }

  urlOf(cell: number): string {
    return `${this.#options.store.url}/${chunkKey(this.#options.scale, cell)}`;
  }

  plan(cells: readonly number[]): readonly ReadTask[] {
    return cells.map((cell) => ({ cells: [cell], run: (context) => this.#read(cell, context) }));
  }

  async #read(cell: number, { signal, meter, deliver }: ReadContext): Promise<void> {
    const { scale, codec, layoutOf } = this.#options;
    const layout = layoutOf(cell);
    const exactBytes = codec.exactBytes?.(layout);
    const maxBytes = exactBytes ?? codec.maxBytes(layout);
    const object = await this.#readStored(chunkKey(scale, cell), { signal, meter, maxBytes: storedBound(maxBytes) });
    await deliver(cell, object && { ...object, maxBytes, exactBytes });
  }

  async #readStored(key: string, options: ReadOptions): Promise<StoredObject | undefined> {
    const { store } = this.#options;
    const absentBy403 = await this.#infoReadable;
    try {
      return await store.read(key, { ...options, absentBy403 });
    } catch (error) {
      // Chunks that were asked for before anybody knew share one look at the info, and then ask again.
      if (absentBy403 || !(error instanceof RequestError && error.status === 403) || !(await this.#askInfo(options.meter))) throw error;
      return store.read(key, { ...options, absentBy403: true });
    }
  }

  #askInfo(meter: Meter | undefined): Promise<boolean> {
    return (this.#infoReadable ??= this.#options.store.read('info', { meter }).then(
      (info) => info !== undefined,
      (error: unknown) => {
        if (!(error instanceof RequestError && error.status === 403)) this.#infoReadable = undefined; // may pass: the next 403 asks again
        return false;
      },
    ));
  }
}
