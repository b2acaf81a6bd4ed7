/**
 * Reads chunks of an unsharded scale in an OCDBT database. One task finds all chunks of a call in the tree;
 * follow-up tasks read values that are beside one another in one request.
 */
import { trimMemory } from '../compression/memory.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { tooLargeError } from '../storage/keys.ts';
import type { ByteRange } from '../storage/store.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type {
  ChunkContent,
  ObjectSource,
  ReadContext,
  ReadTask,
  StoredChunk,
} from '../chunks/chunk-source.ts';
import { describeContent } from '../chunks/chunk-store.ts';
import type { FoundValue } from './format/btree-node.ts';
import type { DataRef } from './format/data-files.ts';
import type { Located } from './locate.ts';
import type { OcdbtSourceOptions } from './ocdbt-store.ts';
import { planSlices, type PlannedSlice } from './plan-slices.ts';
import type { SliceOptions } from './read-slice.ts';

/** The values of one version of a database. */
export interface OcdbtValues {
  readonly url: string;
  /**
   * Finds the values of many keys, with few requests; see `locateKeys`.
   * @param keys Distinct.
   */
  locate(keys: readonly string[], options: SliceOptions): Promise<Located[]>;
  /** Reads a range of a data file. @throws RequestError DATA_MISSING; DecodeError TRUNCATED. */
  readData(path: string, range: ByteRange, options: SliceOptions): Promise<Uint8Array>;
  /** Names the version of a value: data files never change. */
  validatorOf(value: FoundValue): string;
}

/** A chunk that is in a data file. */
interface PlacedChunk {
  readonly cell: number;
  readonly ref: DataRef;
}

/** The chunks of one unsharded scale. */
export class OcdbtSource implements ObjectSource {
  readonly id: string;
  readonly #values: OcdbtValues;
  readonly #options: OcdbtSourceOptions;

  constructor(values: OcdbtValues, options: OcdbtSourceOptions) {
    this.#values = values;
    this.#options = options;
    this.id = `${values.url}/${options.scale.key}`;
  }

  urlOf(cell: number): string {
    return `${this.#values.url}/${this.objectKeyOf(cell)}`;
  }

  objectKeyOf(cell: number): string {
    return chunkKey(this.#options.scale, cell);
  }

  contentOf(cell: number): ChunkContent {
    const { codec, layoutOf } = this.#options;
    return describeContent(codec, layoutOf(cell));
  }

  plan(cells: readonly number[]): readonly ReadTask[] {
    return cells.length > 0 ? [{ cells, run: (context) => this.#locate(cells, context) }] : [];
  }

  async #locate(cells: readonly number[], context: ReadContext): Promise<readonly ReadTask[]> {
    const keys = cells.map((cell) => this.objectKeyOf(cell)),
      found = await this.#values.locate(keys, sliceOptions(context));
    const placed: PlacedChunk[] = [];
    for (const [k, cell] of cells.entries()) {
      const located = found[k];
      if (!('value' in located)) context.fail(cell, located.error);
      else if (located.value === undefined) await context.deliver(cell, undefined);
      else if (located.value instanceof Uint8Array)
        await this.#deliver(cell, located.value, located.value, context);
      else if (this.#checkSize(cell, located.value, context)) placed.push({ cell, ref: located.value });
    }
    return planSlices(placed.map(({ ref }) => ref)).map((slice): ReadTask => {
      const members = slice.members.map((member) => placed[member]);
      return {
        cells: members.map(({ cell }) => cell),
        run: (later) => this.#readSlice(slice, members, later),
      };
    });
  }

  async #readSlice(
    slice: PlannedSlice,
    members: readonly PlacedChunk[],
    context: ReadContext,
  ): Promise<void> {
    const bytes = await this.#values.readData(slice.path, slice, sliceOptions(context)),
      delivering = new Set<Promise<void>>();
    for (const { cell, ref } of members) {
      const from = ref.offset - slice.start,
        delivery = this.#deliver(cell, bytes.subarray(from, from + ref.length), ref, context).finally(() =>
          delivering.delete(delivery),
        );
      delivering.add(delivery);
      if (delivering.size >= (context.deliveriesAtOnce ?? 1)) await Promise.race(delivering);
    }
    await Promise.all(delivering);
  }

  #checkSize(cell: number, { length }: DataRef, { fail }: ReadContext): boolean {
    const maxBytes = maxStoredBytes(this.contentOf(cell).maxBytes);
    if (length > maxBytes) fail(cell, tooLargeError(this.urlOf(cell), maxBytes));
    return length <= maxBytes;
  }

  /** Delivers a chunk. Its bytes are copied, so that they do not keep a larger read alive. */
  #deliver(cell: number, bytes: Uint8Array, value: FoundValue, { deliver }: ReadContext): Promise<void> {
    const stored: StoredChunk = {
      bytes: trimMemory(bytes),
      contentEncoding: undefined,
      ...this.contentOf(cell),
      validator: this.#values.validatorOf(value),
    };
    return deliver(cell, stored);
  }
}

const sliceOptions = ({ signal, stop, meter }: ReadContext): SliceOptions =>
  stop ? { stop, meter } : { signal, meter };
