/**
 * Reads chunks that are stored as one object each: `KEY/x0-x1_y0-y1_z0-z1`.
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "Unsharded chunk storage".
 */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { Stop } from '../base/stop.ts';
import type { ByteRange, Meter, ReadOptions, Store, StoredObject } from '../storage/store.ts';
import type { ChunkContent, ObjectSource, ReadContext, ReadTask } from './chunk-source.ts';
import { ChunkStore, describeContent } from './chunk-store.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { PartReader } from './part-reader.ts';
import { planParts } from './range-cost.ts';

/** The scale of a source, and how its chunks are stored. */
export interface UnshardedSourceOptions {
  store: Store;
  scale: Scale;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
  /**
   * Whether the info in this store is known to be readable, so that status 403 may mean "not found". If not,
   * it is read at the first 403.
   */
  infoWasRead: boolean;
  /** Whether parts of a chunk may be read if that costs less. @default true */
  rangeReads?: boolean;
}

/** The options for one read. A class, so that all have one shape: a getter of an object literal costs more. */
class ChunkReadOptions implements ReadOptions {
  readonly maxBytes: number;
  readonly stop: Stop | undefined;
  readonly meter: Meter;
  absentBy403 = false;
  readonly #context: ReadContext;

  constructor(
    { maxBytes }: ChunkContent,
    context: ReadContext,
    readonly range: ByteRange | undefined,
    readonly bodyWork: ChunkWork | undefined,
  ) {
    this.maxBytes = maxStoredBytes(maxBytes);
    this.stop = context.stop;
    this.meter = context.meter;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }
}

/** The chunks of one unsharded scale. */
export class UnshardedSource implements ObjectSource {
  readonly id: string;
  readonly #options: UnshardedSourceOptions;
  readonly #chunks: ChunkStore;
  readonly #parts: PartReader | undefined;

  constructor(options: UnshardedSourceOptions) {
    this.#options = options;
    this.id = `${options.store.url}/${options.scale.key}`;
    this.#chunks = new ChunkStore(options.store, options.infoWasRead);
    if (options.rangeReads !== false) this.#parts = new PartReader();
  }

  urlOf(cell: number): string {
    return `${this.#options.store.url}/${chunkKey(this.#options.scale, cell)}`;
  }

  contentOf(cell: number): ChunkContent {
    const { codec, layoutOf } = this.#options;
    return describeContent(codec, layoutOf(cell));
  }

  objectKeyOf(cell: number): string {
    return chunkKey(this.#options.scale, cell);
  }

  plan(cells: readonly number[]): readonly ReadTask[] {
    return cells.map((cell) => ({ cells: [cell], run: (context) => this.#read(cell, context) }));
  }

  async #read(cell: number, context: ReadContext): Promise<void> {
    const { scale, codec, layoutOf } = this.#options,
      { wanted, workOf, deliver, deliverParts } = context;
    const content = describeContent(codec, layoutOf(cell)),
      { exactBytes } = content;
    const read = (range?: ByteRange, work?: ChunkWork): Promise<StoredObject | undefined> =>
      this.#chunks.read(chunkKey(scale, cell), new ChunkReadOptions(content, context, range, work));
    const needed = this.#parts && exactBytes !== undefined ? wanted.get(cell)?.ranges : undefined;
    const ranges = needed && planParts(needed, exactBytes!);
    const found = ranges && (await this.#parts!.read(ranges, exactBytes!, read));
    if (found && 'parts' in found) return deliverParts(cell, found.parts);
    const work = found ? undefined : workOf?.(cell, content);
    const object = found ? found.whole : await read(undefined, work);
    if (object && exactBytes !== undefined) this.#parts?.learn(object, exactBytes);
    const result = object?.workResult as ChunkWorkResult | undefined;
    await deliver(
      cell,
      object && { ...object, ...content, ...(work && result && { workDone: { work, result } }) },
    );
  }
}
