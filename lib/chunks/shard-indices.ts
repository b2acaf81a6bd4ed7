/**
 * Where the chunks of one scale are in its shard files: the two levels of index, each read once while it is kept. The indices of one
 * shard that are wanted together are read together. Each level knows the versions of the shard that it holds for: what is read by it and
 * is of another version has it read again.
 */
import { DecodeError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { decompress } from '../compression/decompress.ts';
import { checkMinishardIndex } from '../precomputed/minishard-check.ts';
import { decodeMinishardIndex, type MinishardIndex } from '../precomputed/shard-index.ts';
import type { ShardingSpec } from '../precomputed/sharding.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkDiskCache } from './chunk-disk-cache.ts';
import {
  areEqual,
  MAX_MINISHARD_INDEX_BYTES,
  EMPTY_RANGE,
  ShardEntryReader,
  ValidatorHistory,
  type VersionMismatch,
  type ShardIndex,
} from './shard-entries.ts';
import {
  changedShardError,
  isTruncated,
  type ShardPiece,
  type ShardFile,
  type ShardReadContext,
} from './shard-file.ts';
import { SharedReads } from './shared-reads.ts';
import { VersionCheck, type ShardVersions } from './shard-versions.ts';

/** How often indices are read again for one call because their shard changed. */
export const MAX_REREADS = 2;
/** How often what they lead to is read again then, while they stay the same: of two replicas, the other one may answer. */
export const MAX_RETRIES = 4;

/** Where the chunks of a minishard are, in these versions of its shard. */
export interface CachedIndex extends MinishardIndex {
  versions: ShardVersions;
  /** It was kept by another process, or an earlier call of a volume that is closed. */
  fromDisk: boolean;
}

/** What a volume keeps of the indices of its shards, of all scales. */
export class ShardIndexCache {
  readonly shards = new SharedReads<ShardIndex>({
    maxBytes: 16 * 1024 * 1024,
    bytesOf: ({ bytes }) => bytes.byteLength,
  });
  readonly minishards = new SharedReads<CachedIndex>({
    maxBytes: 32 * 1024 * 1024,
    bytesOf: ({ ids, starts, ends }) => ids.byteLength + starts.byteLength + ends.byteLength,
  });
  readonly check: VersionCheck;

  /** @param warn Told once, when the server cannot say which version of a file it gives. */
  constructor(warn?: (message: string) => void) {
    this.check = new VersionCheck(warn);
  }
}

export class ShardIndices {
  readonly #cache: ShardIndexCache;
  readonly #entries: ShardEntryReader;
  readonly #scale: string;
  readonly #spec: ShardingSpec;
  readonly #gridShape: Vec3;
  readonly #disk: ChunkDiskCache | undefined;

  /**
   * @param scale Names the scale among all that share the cache.
   * @param gridShape Cells of the scale along x, y, z.
   * @param disk Where indices are kept longer.
   */
  constructor(
    cache: ShardIndexCache,
    scale: string,
    spec: ShardingSpec,
    gridShape: Vec3,
    disk?: ChunkDiskCache,
  ) {
    this.#cache = cache;
    this.#entries = new ShardEntryReader(cache.shards, cache.check, scale, spec);
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
  read(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
  ): Promise<PromiseSettledResult<CachedIndex | undefined>[]> {
    return this.#all(file, minishards, read);
  }

  /** Whether a piece of the shard is of a version that the index holds for. */
  agrees({ versions }: CachedIndex, piece: ShardPiece): boolean {
    return this.#cache.check.agrees(versions, piece);
  }

  /**
   * Reads indices again that something contradicts, unless others have done so: `of` gives the new ones afterwards.
   *
   * @param times How often at most.
   * @returns How often they were read, and whether what to think of the other version is open: the indices are the same as before.
   */
  async reread(
    file: ShardFile,
    used: ReadonlyMap<number, CachedIndex>,
    { validator }: VersionMismatch,
    times: number,
    read: ShardReadContext,
  ): Promise<{ made: number; isOpen: boolean }> {
    let before = used;
    for (let made = 1; ; made++) {
      for (const [minishard, index] of before)
        this.#cache.minishards.forget(this.#key(file, minishard), index);
      const minishards = [...before.keys()],
        since = Math.max(...Array.from(before.values(), ({ versions }) => versions.learnedAt));
      const after = await this.#all(file, minishards, read, since);
      const open = new Map<number, CachedIndex>();
      for (const [k, minishard] of minishards.entries()) {
        const old = before.get(minishard)!,
          result = after[k],
          index = result.status === 'fulfilled' ? result.value : undefined;
        if (
          index &&
          this.#cache.check.learn(
            `${file.url} (minishard ${minishard})`,
            old.versions,
            index.versions,
            isSameIndex(old, index),
            validator,
            made > 1,
          )
        )
          open.set(minishard, index);
      }
      if (open.size === 0 || made === times) return { made, isOpen: open.size > 0 };
      before = open;
    }
  }

  #all(
    file: ShardFile,
    minishards: readonly number[],
    { signal, meter }: ShardReadContext,
    since?: number,
  ): Promise<PromiseSettledResult<CachedIndex | undefined>[]> {
    const keys = minishards.map((minishard) => this.#key(file, minishard));
    return this.#cache.minishards.readAll(
      keys,
      (missing, ours) =>
        this.#read(
          file,
          missing.map((k) => minishards[k]),
          { signal: ours, meter },
          since,
        ),
      signal,
    );
  }

  #key = ({ name }: ShardFile, minishard: number): string => `${this.#scale}/${name}/${minishard}`;

  /** @param since Given when they are read again: what was learned by then is not used. */
  #read(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
    since?: number,
  ): Promise<CachedIndex | undefined>[] {
    const kept = since === undefined ? this.#fromDisk(file, minishards, read) : Promise.resolve([]);
    const stored = kept.then((known) =>
      this.#fromStore(
        file,
        minishards.filter((_, i) => !known[i]),
        read,
        since,
      ),
    );
    stored.catch(() => undefined); // each minishard below tells it, unless what it waits for first has failed
    return minishards.map(async (minishard, i) => (await kept)[i] ?? (await stored).get(minishard)!());
  }

  /** Of each minishard its index or its failure. What is read by a shard index and contradicts it has that one read again. */
  async #fromStore(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
    since: number | undefined,
  ): Promise<Map<number, () => CachedIndex | undefined>> {
    const found = new Map<number, () => CachedIndex | undefined>(),
      began = this.#cache.check.nextTurn();
    const fail = (minishard: number, error: unknown): void =>
      void found.set(minishard, () => {
        throw error;
      });
    const entries = await this.#entries.read(file, minishards, read, since),
      suspects = new Map(minishards.map((minishard) => [minishard, new ValidatorHistory()]));
    let rereads = MAX_REREADS,
      retries = MAX_RETRIES;
    for (;;) {
      const asked = [...entries];
      const ranges = asked.map(([minishard, entry]) => this.#entries.rangeOf(entry, minishard));
      const parts = file.readAll(
        ranges.map((range) => (range instanceof Error || !range ? EMPTY_RANGE : range)),
        read,
      );
      let contradiction: VersionMismatch | undefined;
      await Promise.all(
        asked.map(async ([minishard, entry], k) => {
          const range = ranges[k];
          try {
            if (range instanceof Error) throw range;
            const part = range && (await this.#part(minishard, parts[k], entry as ShardIndex, range, began));
            if (
              part &&
              'contradiction' in part &&
              !suspects.get(minishard)!.showsUnstableValidators(entry as ShardIndex, part.contradiction)
            )
              return (contradiction ??= part.contradiction);
            if (part && 'contradiction' in part) this.#cache.check.stopComparing(file.url);
            const piece = part && 'contradiction' in part ? (part.contradiction as ShardPiece) : part;
            const index =
              piece && (await this.#index(file, minishard, piece, entry as ShardIndex, read.signal));
            found.set(minishard, () => index);
          } catch (error) {
            fail(minishard, error);
          }
          entries.delete(minishard);
        }),
      );
      if (entries.size === 0) return found;
      if (rereads > 0) {
        const { made, isOpen } = await this.#entries.reread(file, entries, contradiction!, rereads, read);
        rereads -= made;
        if (!isOpen) retries = MAX_RETRIES;
      } else if (retries-- === 0) {
        for (const minishard of entries.keys()) fail(minishard, changedShardError(file.url));
        return found;
      }
    }
  }

  /** Bytes of a minishard index, or what they say against the shard index that they were found by; undefined where the shard has gone. */
  async #part(
    minishard: number,
    reading: Promise<ShardPiece | undefined>,
    entry: ShardIndex,
    { start, end }: ByteRange,
    began: number,
  ): Promise<ShardPiece | { contradiction: VersionMismatch } | undefined> {
    try {
      const part = await reading;
      return part && end > start && !this.#cache.check.agrees(entry.versions, part)
        ? { contradiction: part }
        : part;
    } catch (error) {
      // A shard index that is kept from before may be that of a longer file.
      if (isTruncated(error) && entry.versions.learnedAt < began) return { contradiction: {} };
      throw ofIndex(minishard, error);
    }
  }

  async #index(
    file: ShardFile,
    minishard: number,
    part: ShardPiece,
    entry: ShardIndex,
    signal: AbortSignal,
  ): Promise<CachedIndex> {
    const bytes = await this.#inflate(minishard, part.bytes, signal);
    // Of an empty minishard nothing was read but its entry.
    const versions =
      part.bytes.byteLength > 0
        ? this.#cache.check.versionsOf(part)
        : this.#cache.check.versionsOf({ validator: entry.versions.latest });
    const index = { ...this.#decode(file, minishard, bytes), versions, fromDisk: false };
    await this.#disk?.put(this.#diskKey(file, minishard), bytes, part.validator ?? entry.versions.latest);
    return index;
  }

  #decode({ shard }: ShardFile, minishard: number, bytes: Uint8Array): MinishardIndex {
    const index = decodeMinishardIndex(bytes, this.#spec, minishard);
    checkMinishardIndex(index, this.#spec, { shard: shard.number, minishard, gridShape: this.#gridShape });
    return index;
  }

  #diskKey = ({ name }: ShardFile, minishard: number): string => `${this.#scale}/${name} index ${minishard}`;

  /** An index of another version of its shard would say where other chunks are. One that is kept and cannot be decoded is read again. */
  #fromDisk(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
  ): Promise<(CachedIndex | undefined)[]> {
    const disk = this.#disk,
      checks = new Map<string, Promise<boolean>>();
    if (!disk) return Promise.resolve([]);
    return Promise.all(
      minishards.map(async (minishard) => {
        const entry = await disk.get(
          this.#diskKey(file, minishard),
          `${file.store.key}/${file.name}`,
          MAX_MINISHARD_INDEX_BYTES,
          read,
          checks,
          true,
        );
        if (!entry?.bytes) return undefined;
        try {
          return {
            ...this.#decode(file, minishard, entry.bytes),
            versions: this.#cache.check.versionsOf(entry),
            fromDisk: true,
          };
        } catch {
          return undefined;
        }
      }),
    );
  }

  /** An index out of its encoding. */
  async #inflate(minishard: number, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (bytes.byteLength === 0 || this.#spec.minishardIndexEncoding === 'raw') return bytes;
    try {
      return await decompress(bytes, this.#spec.minishardIndexEncoding, {
        maxBytes: MAX_MINISHARD_INDEX_BYTES,
        signal,
      });
    } catch (error) {
      throw ofIndex(minishard, error);
    }
  }
}

const ofIndex = (minishard: number, error: unknown): unknown =>
  error instanceof DecodeError
    ? new DecodeError(error.code, `the index of minishard ${minishard}: ${error.message}`, { cause: error })
    : error;

const isSameIndex = (a: MinishardIndex, b: MinishardIndex): boolean =>
  areEqual(a.ids, b.ids) && areEqual(a.starts, b.starts) && areEqual(a.ends, b.ends);
