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

/**
 * The options for one read. A class, so that all have one shape: a getter of an object literal costs more.
 */
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

  #read(cell: number, context: ReadContext): Promise<void> {
    const { codec, layoutOf } = this.#options,
      content = describeContent(codec, layoutOf(cell)),
      { exactBytes } = content;
    const needed =
      exactBytes !== undefined && this.#parts?.isPossible ? context.wanted.get(cell)?.ranges : undefined;
    const ranges = needed && planParts(needed, exactBytes!);
    return ranges ? this.#readParts(cell, ranges, content, context) : this.#readWhole(cell, content, context);
  }

  #readWhole(cell: number, content: ChunkContent, context: ReadContext): Promise<void> {
    const work = context.workOf?.(cell, content),
      reading = this.#readObject(cell, new ChunkReadOptions(content, context, undefined, work));
    return reading.then((object) => this.#deliver(cell, object, content, work, context));
  }

  async #readParts(
    cell: number,
    ranges: readonly ByteRange[],
    content: ChunkContent,
    context: ReadContext,
  ): Promise<void> {
    const found = await this.#parts!.read(ranges, content.exactBytes!, (range) =>
      this.#readObject(cell, new ChunkReadOptions(content, context, range, undefined)),
    );
    if (!found) return this.#readWhole(cell, content, context);
    if ('parts' in found) return context.deliverParts(cell, found.parts);
    await this.#deliver(cell, found.whole, content, undefined, context);
  }

  #readObject(cell: number, options: ChunkReadOptions): Promise<StoredObject | undefined> {
    return this.#chunks.read(chunkKey(this.#options.scale, cell), options);
  }

  #deliver(
    cell: number,
    object: StoredObject | undefined,
    content: ChunkContent,
    work: ChunkWork | undefined,
    { deliver, deliverNow }: ReadContext,
  ): Promise<void> | undefined {
    if (object && content.exactBytes !== undefined) this.#parts?.learn(object, content.exactBytes);
    const result = object?.workResult as ChunkWorkResult | undefined;
    if (!object || !work || !result) return deliver(cell, object && { ...object, ...content });
    const workDone = { work, result };
    return deliverNow?.(cell, workDone, object.storedBytes ?? 0)
      ? undefined
      : deliver(cell, { ...object, ...content, workDone });
  }
}
