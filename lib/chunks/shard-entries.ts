/**
 * Reads shard indices, which say where in a shard file the index of each minishard is. A small shard index is
 * read whole and cached; from a large one, only the needed entries are read.
 */
import { DecodeError } from '../base/errors.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { minishardIndexRange, SHARD_INDEX_ENTRY_BYTES, shardIndexBytes } from '../precomputed/shard-index.ts';
import type { ShardingSpec } from '../precomputed/sharding.ts';
import type { ByteRange } from '../storage/store.ts';
import { normalizeValidator } from '../storage/validator.ts';
import { GAP_REQUEST_BYTES } from './request-weights.ts';
import { sliceRange, type ShardPiece, type ShardFile, type ShardReadContext } from './shard-file.ts';
import type { SharedReads } from './shared-reads.ts';
import type { VersionCheck, ShardVersions } from './shard-versions.ts';

/** Largest shard index that is read whole and cached. */
export const WHOLE_INDEX_BYTES = GAP_REQUEST_BYTES;
/**
 * Largest minishard index that is read: 2.8 million chunks. A larger one is an error, so that it never fills
 * the memory.
 */
export const MAX_MINISHARD_INDEX_BYTES = 64 * 1024 * 1024;
/** If equal bytes come with this many validators, the validators do not tell versions apart. */
const MANY_VALIDATORS = 4;

/** A shard index, or one entry of it. */
export interface ShardIndex {
  bytes: Uint8Array;
  firstMinishard: number;
  versions: ShardVersions;
}

/** For each minishard, its entry or the error; undefined if the shard does not exist. */
export type ShardEntries = Map<number, ShardIndex | Error | undefined>;

/**
 * Bytes that do not fit the index they were found with: they have another version (`validator`), or the file
 * ends before the place that the index names (no `validator`).
 */
export type VersionMismatch = Partial<ShardPiece>;

/**
 * Remembers the mismatches of one minishard, to tell a server that changes its validators from a shard that
 * changes its bytes.
 */
export class ValidatorHistory {
  readonly #validators = new Set<string | undefined>();
  #before: { entry: Uint8Array; part: Uint8Array } | undefined;
  #isSteady = true;

  /** Adds a mismatch. Returns whether the same bytes came every time, with many validators. */
  showsUnstableValidators(entry: ShardIndex, { bytes: part, validator }: VersionMismatch): boolean {
    if (!part) return false;
    if (this.#before && !(areEqual(this.#before.entry, entry.bytes) && areEqual(this.#before.part, part)))
      this.#isSteady = false;
    this.#before = { entry: entry.bytes, part };
    this.#validators.add(entry.versions.latest).add(validator && normalizeValidator(validator));
    return this.#isSteady && this.#validators.size >= MANY_VALIDATORS;
  }
}

/** The range of a minishard index without bytes. */
export const EMPTY_RANGE: ByteRange = { start: 0, end: 0 };

/** Reads and caches the shard indices of one scale. */
export class ShardEntryReader {
  readonly #kept: SharedReads<ShardIndex>;
  readonly #check: VersionCheck;
  readonly #scale: string;
  readonly #spec: ShardingSpec;

  /**
   * @param kept The shard indices that are cached.
   * @param scale Identifies the scale among all that share `kept`.
   */
  constructor(kept: SharedReads<ShardIndex>, check: VersionCheck, scale: string, spec: ShardingSpec) {
    this.#kept = kept;
    this.#check = check;
    this.#scale = scale;
    this.#spec = spec;
  }

  /**
   * Reads the entries of minishards.
   * @param since If given, cached entries that were read at this turn or before are read again: see
   *   {@link VersionCheck.nextTurn}.
   */
  async read(
    file: ShardFile,
    minishards: readonly number[],
    read: ShardReadContext,
    since: number | undefined,
  ): Promise<ShardEntries> {
    if (minishards.length === 0) return new Map();
    if (shardIndexBytes(this.#spec) <= WHOLE_INDEX_BYTES) {
      const index = await this.#shardIndex(file, read, since);
      return new Map(minishards.map((minishard) => [minishard, index]));
    }
    const entries = file.readAll(minishards.map(entryRange), read);
    const settled = await Promise.allSettled(
      entries.map(async (entry, k) => shardIndexOf(await entry, minishards[k], this.#check)),
    );
    return new Map(
      settled.map((entry, k) => [
        minishards[k],
        entry.status === 'fulfilled' ? entry.value : (entry.reason as Error),
      ]),
    );
  }

  /**
   * Reads the shard index again, or its entries for these minishards, and replaces the old entries.
   * @param times How often to read at most.
   * @returns How often it was read, and whether the reason of the mismatch is still unknown.
   */
  async reread(
    file: ShardFile,
    entries: ShardEntries,
    { validator }: VersionMismatch,
    times: number,
    read: ShardReadContext,
  ): Promise<{ timesRead: number; isUndecided: boolean }> {
    for (let timesRead = 1; ; timesRead++) {
      const since = Math.max(
        ...Array.from(entries.values(), (entry) => (isIndex(entry) ? entry.versions.learnedAt : 0)),
      );
      const after = await this.read(file, [...entries.keys()], read, since);
      let isUndecided = false;
      for (const [minishard, entry] of after) {
        const old = entries.get(minishard);
        if (
          isIndex(entry) &&
          isIndex(old) &&
          this.#check.learn(
            file.url,
            old.versions,
            entry.versions,
            areEqual(old.bytes, entry.bytes),
            validator,
            timesRead > 1,
          )
        )
          isUndecided = true;
        entries.set(minishard, entry);
      }
      if (!isUndecided || timesRead === times) return { timesRead, isUndecided };
    }
  }

  /** Returns where the index of a minishard is, or the error; undefined if the shard does not exist. */
  rangeOf(entry: ShardIndex | Error | undefined, minishard: number): ByteRange | Error | undefined {
    if (!isIndex(entry)) return entry;
    try {
      const range =
        minishardIndexRange(entry.bytes, this.#spec, minishard, entry.firstMinishard) ?? EMPTY_RANGE;
      const size = range.end - range.start;
      if (size > maxStoredBytes(MAX_MINISHARD_INDEX_BYTES))
        throw new DecodeError(
          'TOO_LARGE',
          `minishard ${minishard}: its index has ${size} bytes; the limit is ${MAX_MINISHARD_INDEX_BYTES}`,
        );
      return range;
    } catch (error) {
      return error as Error;
    }
  }

  /** Reads the whole shard index, or takes it from the cache if it was read after the turn `since`. */
  async #shardIndex(
    file: ShardFile,
    { signal, meter }: ShardReadContext,
    since = -1,
  ): Promise<ShardIndex | undefined> {
    const key = `${this.#scale}/${file.name}`,
      range = { start: 0, end: shardIndexBytes(this.#spec) };
    const old = this.#kept.peek(key);
    if (old && old.versions.learnedAt <= since) this.#kept.forget(key, old);
    const read = async (ownSignal: AbortSignal): Promise<ShardIndex | undefined> => {
      const piece = await file.read(range, { signal: ownSignal, meter });
      const index = shardIndexOf(piece && { ...piece, bytes: sliceRange(piece, range) }, 0, this.#check);
      if (index && old && areEqual(old.bytes, index.bytes)) index.versions.addAll(old.versions);
      return index;
    };
    const [result] = await this.#kept.readAll([key], (_, ownSignal) => [read(ownSignal)], signal);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
}

const entryRange = (minishard: number): ByteRange => ({
  start: minishard * SHARD_INDEX_ENTRY_BYTES,
  end: (minishard + 1) * SHARD_INDEX_ENTRY_BYTES,
});

/** Makes a shard index from bytes. Copies them, so that a cached index does not keep a larger read alive. */
const shardIndexOf = (
  piece: ShardPiece | undefined,
  firstMinishard: number,
  check: VersionCheck,
): ShardIndex | undefined =>
  piece && { bytes: piece.bytes.slice(), firstMinishard, versions: check.versionsOf(piece) };

const isIndex = (entry: ShardIndex | Error | undefined): entry is ShardIndex =>
  entry !== undefined && !(entry instanceof Error);

/** Returns whether two arrays have the same elements. */
export const areEqual = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return a.length === b.length;
};
