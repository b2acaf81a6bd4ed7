/**
 * Where the chunks of one scale are in its shard files: the two levels of index, each read once while it is kept. The indices of one
 * shard that are wanted together are read together.
 */
import { DecodeError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { decompress, storedBound } from '../compression/decompress.ts';
import { checkMinishardIndex } from '../precomputed/minishard-check.ts';
import { decodeMinishardIndex, minishardIndexRange, SHARD_INDEX_ENTRY_BYTES, shardIndexBytes, type MinishardIndex } from '../precomputed/shard-index.ts';
import type { ShardingSpec } from '../precomputed/sharding.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkCache } from './chunk-cache.ts';
import { REQUEST_BYTES } from './merge-ranges.ts';
import { sliceOf, type ShardFile, type ShardRead } from './shard-file.ts';
import { SharedReads } from './shared-reads.ts';

/** A shard index up to this size is read whole and kept; of a larger one only the entries that are needed are read. */
export const WHOLE_INDEX_BYTES = REQUEST_BYTES;
/** A larger minishard index is an error, not an allocation: 2.8 million chunks. */
const MAX_MINISHARD_INDEX_BYTES = 64 * 1024 * 1024;

/** What a volume keeps of the indices of its shards, of all scales. */
export class ShardIndexCache {
  readonly shards = new SharedReads<Uint8Array>({ maxBytes: 16 * 1024 * 1024, bytesOf: ({ byteLength }) => byteLength });
  readonly minishards = new SharedReads<MinishardIndex>({ maxBytes: 32 * 1024 * 1024, bytesOf: ({ ids, starts, ends }) => ids.byteLength + starts.byteLength + ends.byteLength });
}

const NOWHERE: ByteRange = { start: 0, end: 0 };

export class ShardIndices {
  readonly #cache: ShardIndexCache;
  readonly #scale: string;
  readonly #spec: ShardingSpec;
  readonly #gridShape: Vec3;
  readonly #disk: ChunkCache | undefined;

  /**
   * @param scale Names the scale among all that share the cache.
   * @param gridShape Cells of the scale along x, y, z.
   * @param disk Where indices are kept longer.
   */
  constructor(cache: ShardIndexCache, scale: string, spec: ShardingSpec, gridShape: Vec3, disk?: ChunkCache) {
    this.#cache = cache;
    this.#scale = scale;
    this.#spec = spec;
    this.#gridShape = gridShape;
    this.#disk = disk;
  }

  /** Whether all of them are kept. */
  has(file: ShardFile, minishards: readonly number[]): boolean {
    return minishards.every((minishard) => this.#cache.minishards.has(this.#key(file, minishard)));
  }

  /** Of each of the (distinct) minishards, its index or why there is none; undefined when the shard does not exist. */
  of(file: ShardFile, minishards: readonly number[], { signal, meter }: ShardRead): Promise<PromiseSettledResult<MinishardIndex | undefined>[]> {
    const keys = minishards.map((minishard) => this.#key(file, minishard));
    return this.#cache.minishards.all(keys, (missing, ours) => this.#read(file, missing.map((k) => minishards[k]), { signal: ours, meter }), signal);
  }

  #key = ({ name }: ShardFile, minishard: number): string => `${this.#scale}/${name}/${minishard}`;

  #read(file: ShardFile, minishards: readonly number[], read: ShardRead): Promise<MinishardIndex | undefined>[] {
    const kept = this.#fromDisk(file, minishards, read);
    const stored = kept.then(async (known) => {
      const missing = minishards.filter((_, i) => !known[i]);
      const ranges = missing.length > 0 ? await this.#locate(file, missing, read) : [];
      const parts = file.readAll(ranges.map((range) => (range instanceof Error || !range ? NOWHERE : range)), read);
      return new Map(missing.map((minishard, k) => [minishard, { range: ranges[k], part: parts[k] }]));
    });
    stored.catch(() => undefined); // each minishard below tells it, unless what it waits for first has failed
    return minishards.map(async (minishard, i) => {
      const known = (await kept)[i];
      if (known) return this.#decode(file, minishard, known);
      const { range, part } = (await stored).get(minishard)!;
      if (range instanceof Error) throw range;
      if (!range) return undefined;
      const bytes = await this.#inflate(minishard, part, read.signal);
      const index = bytes && this.#decode(file, minishard, bytes);
      if (index) await this.#disk?.put(this.#diskKey(file, minishard), bytes, file.validator);
      return index;
    });
  }

  #decode({ shard }: ShardFile, minishard: number, bytes: Uint8Array): MinishardIndex {
    const index = decodeMinishardIndex(bytes, this.#spec, minishard);
    checkMinishardIndex(index, this.#spec, { shard: shard.number, minishard, gridShape: this.#gridShape });
    return index;
  }

  #diskKey = ({ name }: ShardFile, minishard: number): string => `${this.#scale}/${name} index ${minishard}`;

  /** An index of another version of its shard would say where other chunks are. */
  #fromDisk(file: ShardFile, minishards: readonly number[], read: ShardRead): Promise<(Uint8Array | undefined)[]> {
    const disk = this.#disk, checks = new Map<string, Promise<boolean>>();
    if (!disk) return Promise.resolve([]);
    return Promise.all(minishards.map(async (minishard) => (await disk.get(this.#diskKey(file, minishard), `${file.store.key}/${file.name}`, MAX_MINISHARD_INDEX_BYTES, read, checks, true))?.bytes));
  }

  /** Where each minishard's index is, or why that is unknown: nowhere for an empty minishard, undefined where the shard does not exist. */
  async #locate(file: ShardFile, minishards: readonly number[], read: ShardRead): Promise<(ByteRange | undefined | Error)[]> {
    const whole = shardIndexBytes(this.#spec) <= WHOLE_INDEX_BYTES;
    const entry = (minishard: number): ByteRange => ({ start: minishard * SHARD_INDEX_ENTRY_BYTES, end: (minishard + 1) * SHARD_INDEX_ENTRY_BYTES });
    const entries = whole ? await this.#shardIndex(file, read) : file.readAll(minishards.map(entry), read);
    return Promise.all(
      minishards.map(async (minishard, i) => {
        try {
          const bytes = Array.isArray(entries) ? await entries[i] : entries;
          return bytes && this.#rangeOf(bytes, minishard, whole ? 0 : minishard);
        } catch (error) {
          return error as Error;
        }
      }),
    );
  }

  #rangeOf(entries: Uint8Array, minishard: number, first: number): ByteRange {
    const range = minishardIndexRange(entries, this.#spec, minishard, first) ?? NOWHERE;
    const size = range.end - range.start;
    if (size > storedBound(MAX_MINISHARD_INDEX_BYTES)) throw new DecodeError('TOO_LARGE', `minishard ${minishard}: an index of ${size} bytes; at most ${MAX_MINISHARD_INDEX_BYTES} are read`);
    return range;
  }

  async #shardIndex(file: ShardFile, { signal, meter }: ShardRead): Promise<Uint8Array | undefined> {
    const range = { start: 0, end: shardIndexBytes(this.#spec) };
    const read = async (ours: AbortSignal): Promise<Uint8Array | undefined> => {
      const piece = await file.read(range, { signal: ours, meter });
      return piece && sliceOf(piece, range).slice(); // what is kept is no view of something larger
    };
    const [result] = await this.#cache.shards.all([`${this.#scale}/${file.name}`], (_, ours) => [read(ours)], signal);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  /** An index out of its encoding; undefined when the shard has gone. */
  async #inflate(minishard: number, part: Promise<Uint8Array | undefined>, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const bytes = await part;
      if (!bytes?.byteLength || this.#spec.minishardIndexEncoding === 'raw') return bytes;
      return await decompress(bytes, this.#spec.minishardIndexEncoding, { maxBytes: MAX_MINISHARD_INDEX_BYTES, signal });
    } catch (error) {
      throw error instanceof DecodeError ? new DecodeError(error.code, `the index of minishard ${minishard}: ${error.message}`, { cause: error }) : error;
    }
  }
}
