/**
 * Reads and caches minishard indices, which say where the chunks of a scale are in its shard files. The
 * indices of one shard that are needed together are read together. Each index knows the versions of the shard
 * for which it is valid. If the bytes that an index leads to have another version, the index is read again.
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

/** How often one call reads indices again because their shard changed. */
export const MAX_REREADS = 2;
/**
 * How often one call then reads the chunks again while the indices stay the same. Another replica may answer.
 */
export const MAX_RETRIES = 4;

/** Where the chunks of a minishard are, and for which versions of the shard that is valid. */
export interface CachedIndex extends MinishardIndex {
  versions: ShardVersions;
  /** Whether it came from the disk cache. */
  fromDisk: boolean;
}

/** The indices that one volume keeps in memory, for all scales. */
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

  /** @param warn Called once if the validators of the server do not tell versions apart. */
  constructor(warn?: (message: string) => void) {
    this.check = new VersionCheck(warn);
  }
}

/** The minishard indices of one scale. */
export class ShardIndices {
  readonly #cache: ShardIndexCache;
  readonly #entries: ShardEntryReader;
  readonly #scale: string;
  readonly #spec: ShardingSpec;
  readonly #gridShape: Vec3;
  readonly #disk: ChunkDiskCache | undefined;

  /**
   * @param scale Identifies the scale among all that share the cache.
   * @param gridShape Number of cells of the scale along x, y, z.
   * @param disk The disk cache, which keeps indices between processes.
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

  /** Whether the indices of all these minishards are in memory. */
  has(file: ShardFile, minishards: readonly number[]): boolean {
    return minishards.every((minishard) => this.#cache.minishards.has(this.#key(file, minishard)));
  }

  /**
   * Reads the indices of distinct minishards, each with its own error. An index is undefined if the shard
   * does not exist.
   */
  read(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
  ): Promise<PromiseSettledResult<CachedIndex | undefined>[]> {
    return this.#all(file, minishards, read);
  }

  /** Whether a piece of the shard has a version for which the index is valid. */
  agrees({ versions }: CachedIndex, piece: ShardPiece): boolean {
    return this.#cache.check.agrees(versions, piece);
  }

  /**
   * Reads indices again after a mismatch, unless another call has done so. Afterwards, `read` returns the new
   * ones.
   *
   * @param times How often to read at most.
   * @returns How often they were read, and whether it is still open what the other version means, because the
   *   indices did not change.
   */
  async reread(
    file: ShardFile,
    used: ReadonlyMap<number, CachedIndex>,
    { validator }: VersionMismatch,
    times: number,
    read: ShardReadContext,
  ): Promise<{ timesRead: number; isUndecided: boolean }> {
    let before = used;
    for (let timesRead = 1; ; timesRead++) {
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
            timesRead > 1,
          )
        )
          open.set(minishard, index);
      }
      if (open.size === 0 || timesRead === times) return { timesRead, isUndecided: open.size > 0 };
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
      (missing, ownSignal) =>
        this.#read(
          file,
          missing.map((k) => minishards[k]),
          { signal: ownSignal, meter },
          since,
        ),
      signal,
    );
  }

  #key = ({ name }: ShardFile, minishard: number): string => `${this.#scale}/${name}/${minishard}`;

  /**
   * @param since If given, indices that were read at this turn or before are not used, nor is the disk cache.
   */
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
    stored.catch(() => undefined); // each minishard below reports it, unless `kept` has failed first
    return minishards.map(async (minishard, i) => (await kept)[i] ?? (await stored).get(minishard)!());
  }

  /**
   * Reads minishard indices from the store. The result returns the index of each minishard or throws its
   * error. After a mismatch with the shard index, the shard index is read again.
   */
  async #fromStore(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
    since: number | undefined,
  ): Promise<Map<number, () => CachedIndex | undefined>> {
    const found = new Map<number, () => CachedIndex | undefined>(),
      startedAt = this.#cache.check.nextTurn();
    const fail = (minishard: number, error: unknown): void =>
      void found.set(minishard, () => {
        throw error;
      });
    const entries = await this.#entries.read(file, minishards, read, since),
      histories = new Map(minishards.map((minishard) => [minishard, new ValidatorHistory()]));
    let rereads = MAX_REREADS,
      retries = MAX_RETRIES;
    for (;;) {
      const pending = [...entries];
      const ranges = pending.map(([minishard, entry]) => this.#entries.rangeOf(entry, minishard));
      const parts = file.readAll(
        ranges.map((range) => (range instanceof Error || !range ? EMPTY_RANGE : range)),
        read,
      );
      let mismatch: VersionMismatch | undefined;
      await Promise.all(
        pending.map(async ([minishard, entry], k) => {
          const range = ranges[k];
          try {
            if (range instanceof Error) throw range;
            const part =
              range && (await this.#readPart(minishard, parts[k], entry as ShardIndex, range, startedAt));
            if (
              part &&
              'mismatch' in part &&
              !histories.get(minishard)!.showsUnstableValidators(entry as ShardIndex, part.mismatch)
            )
              return (mismatch ??= part.mismatch);
            if (part && 'mismatch' in part) this.#cache.check.stopComparing(file.url);
            const piece = part && 'mismatch' in part ? (part.mismatch as ShardPiece) : part;
            const index =
              piece && (await this.#decodePart(file, minishard, piece, entry as ShardIndex, read.signal));
            found.set(minishard, () => index);
          } catch (error) {
            fail(minishard, error);
          }
          entries.delete(minishard);
        }),
      );
      if (entries.size === 0) return found;
      if (rereads > 0) {
        const { timesRead, isUndecided } = await this.#entries.reread(
          file,
          entries,
          mismatch!,
          rereads,
          read,
        );
        rereads -= timesRead;
        if (!isUndecided) retries = MAX_RETRIES;
      } else if (retries-- === 0) {
        for (const minishard of entries.keys()) fail(minishard, changedShardError(file.url));
        return found;
      }
    }
  }

  /**
   * Reads the bytes of a minishard index, or a mismatch with the shard index; undefined if the shard was
   * deleted.
   */
  async #readPart(
    minishard: number,
    reading: Promise<ShardPiece | undefined>,
    entry: ShardIndex,
    { start, end }: ByteRange,
    startedAt: number,
  ): Promise<ShardPiece | { mismatch: VersionMismatch } | undefined> {
    try {
      const part = await reading;
      return part && end > start && !this.#cache.check.agrees(entry.versions, part)
        ? { mismatch: part }
        : part;
    } catch (error) {
      // A cached shard index may belong to an older, longer file.
      if (isTruncated(error) && entry.versions.learnedAt < startedAt) return { mismatch: {} };
      throw withMinishardName(minishard, error);
    }
  }

  async #decodePart(
    file: ShardFile,
    minishard: number,
    part: ShardPiece,
    entry: ShardIndex,
    signal: AbortSignal,
  ): Promise<CachedIndex> {
    const bytes = await this.#inflate(minishard, part.bytes, signal);
    // For an empty minishard, only its entry was read.
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

  /**
   * Reads indices from the disk cache. They must be current, because an outdated index leads to the wrong
   * chunks. An index that cannot be decoded is read again from the store.
   */
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

  /** Undoes the compression of a minishard index. */
  async #inflate(minishard: number, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (bytes.byteLength === 0 || this.#spec.minishardIndexEncoding === 'raw') return bytes;
    try {
      return await decompress(bytes, this.#spec.minishardIndexEncoding, {
        maxBytes: MAX_MINISHARD_INDEX_BYTES,
        signal,
      });
    } catch (error) {
      throw withMinishardName(minishard, error);
    }
  }
}

const withMinishardName = (minishard: number, error: unknown): unknown =>
  error instanceof DecodeError
    ? new DecodeError(error.code, `the index of minishard ${minishard}: ${error.message}`, { cause: error })
    : error;

const isSameIndex = (a: MinishardIndex, b: MinishardIndex): boolean =>
  areEqual(a.ids, b.ids) && areEqual(a.starts, b.starts) && areEqual(a.ends, b.ends);
