/**
 * The first level of the indices of a scale's shards: where in its shard the index of each minishard is. A small shard index is read whole
 * and kept; of a large one only the entries that are needed are read.
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

/** A shard index up to this size is read whole and kept; of a larger one only the entries that are needed are read. */
export const WHOLE_INDEX_BYTES = GAP_REQUEST_BYTES;
/** A larger minishard index is an error, not an allocation: 2.8 million chunks. */
export const MAX_MINISHARD_INDEX_BYTES = 64 * 1024 * 1024;
/** So many validators for pieces that belong together are no versions. */
const MANY_VALIDATORS = 4;

/** The shard index, or one entry of it. */
export interface ShardIndex {
  bytes: Uint8Array;
  firstMinishard: number;
  versions: ShardVersions;
}

/** By minishard: its entry, or why there is none; undefined where the shard does not exist. */
export type ShardEntries = Map<number, ShardIndex | Error | undefined>;

/** What a reading by an index met: of another version than the index, or ending before what the index names (`validator` unknown). */
export type VersionMismatch = Partial<ShardPiece>;

/** Tells one minishard whose shard has ever other validators from one whose shard has ever other bytes. */
export class ValidatorHistory {
  readonly #validators = new Set<string | undefined>();
  #before: { entry: Uint8Array; part: Uint8Array } | undefined;
  #isSteady = true;

  /** Whether what came so far was the same each time, each time under another validator. */
  showsUnstableValidators(entry: ShardIndex, { bytes: part, validator }: VersionMismatch): boolean {
    if (!part) return false;
    if (this.#before && !(areEqual(this.#before.entry, entry.bytes) && areEqual(this.#before.part, part)))
      this.#isSteady = false;
    this.#before = { entry: entry.bytes, part };
    this.#validators.add(entry.versions.latest).add(validator && normalizeValidator(validator));
    return this.#isSteady && this.#validators.size >= MANY_VALIDATORS;
  }
}

export const EMPTY_RANGE: ByteRange = { start: 0, end: 0 };

export class ShardEntryReader {
  readonly #kept: SharedReads<ShardIndex>;
  readonly #check: VersionCheck;
  readonly #scale: string;
  readonly #spec: ShardingSpec;

  /** @param scale Names the scale among all that share `kept`. */
  constructor(kept: SharedReads<ShardIndex>, check: VersionCheck, scale: string, spec: ShardingSpec) {
    this.#kept = kept;
    this.#check = check;
    this.#scale = scale;
    this.#spec = spec;
  }

  /** @param since Given when they are read again: what was learned by then is not used. */
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

  /** Reads the shard index again, or its entries for these minishards, and puts them in the place of those. */
  async reread(
    file: ShardFile,
    entries: ShardEntries,
    { validator }: VersionMismatch,
    times: number,
    read: ShardReadContext,
  ): Promise<{ made: number; isOpen: boolean }> {
    for (let made = 1; ; made++) {
      const since = Math.max(
        ...Array.from(entries.values(), (entry) => (isIndex(entry) ? entry.versions.learnedAt : 0)),
      );
      const after = await this.read(file, [...entries.keys()], read, since);
      let isOpen = false;
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
            made > 1,
          )
        )
          isOpen = true;
        entries.set(minishard, entry);
      }
      if (!isOpen || made === times) return { made, isOpen };
    }
  }

  /** Where the index of a minishard is; undefined where the shard does not exist. */
  rangeOf(entry: ShardIndex | Error | undefined, minishard: number): ByteRange | Error | undefined {
    if (!isIndex(entry)) return entry;
    try {
      const range =
        minishardIndexRange(entry.bytes, this.#spec, minishard, entry.firstMinishard) ?? EMPTY_RANGE;
      const size = range.end - range.start;
      if (size > maxStoredBytes(MAX_MINISHARD_INDEX_BYTES))
        throw new DecodeError(
          'TOO_LARGE',
          `minishard ${minishard}: an index of ${size} bytes; at most ${MAX_MINISHARD_INDEX_BYTES} are read`,
        );
      return range;
    } catch (error) {
      return error as Error;
    }
  }

  /** @param since What was learned by then is read again. */
  async #shardIndex(
    file: ShardFile,
    { signal, meter }: ShardReadContext,
    since = -1,
  ): Promise<ShardIndex | undefined> {
    const key = `${this.#scale}/${file.name}`,
      range = { start: 0, end: shardIndexBytes(this.#spec) };
    const old = this.#kept.peek(key);
    if (old && old.versions.learnedAt <= since) this.#kept.forget(key, old);
    const read = async (ours: AbortSignal): Promise<ShardIndex | undefined> => {
      const piece = await file.read(range, { signal: ours, meter });
      const index = shardIndexOf(piece && { ...piece, bytes: sliceRange(piece, range) }, 0, this.#check);
      if (index && old && areEqual(old.bytes, index.bytes)) index.versions.addAll(old.versions);
      return index;
    };
    const [result] = await this.#kept.readAll([key], (_, ours) => [read(ours)], signal);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
}

const entryRange = (minishard: number): ByteRange => ({
  start: minishard * SHARD_INDEX_ENTRY_BYTES,
  end: (minishard + 1) * SHARD_INDEX_ENTRY_BYTES,
});

/** What is kept is no view of something larger. */
const shardIndexOf = (
  piece: ShardPiece | undefined,
  firstMinishard: number,
  check: VersionCheck,
): ShardIndex | undefined =>
  piece && { bytes: piece.bytes.slice(), firstMinishard, versions: check.versionsOf(piece) };

const isIndex = (entry: ShardIndex | Error | undefined): entry is ShardIndex =>
  entry !== undefined && !(entry instanceof Error);

export const areEqual = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return a.length === b.length;
};
