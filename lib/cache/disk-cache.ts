/**
 * Keeps bytes on disk by key, for all processes of one user. An entry is returned only if its checksums
 * agree; a damaged one is a miss. On a full disk or in a read-only folder nothing is stored. If no file
 * descriptor is left, calls wait for one. No method throws.
 *
 * Entries are appended to packs, and an index says where each is; `cache-folder.ts` shows the files.
 *
 * Memory: the index, about 50 bytes per entry of the folder, and one entry at a time, while it is read or
 * written.
 */
import { isDescriptorShortage, retryOnShortage } from '../base/descriptor-shortage.ts';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';
import { encodeEntry, encodeHead, ENTRY_OVERHEAD, type CacheEntry } from './entry.ts';
import type { EntryPlace, HeldBytes, PlaceRead } from './pack-files.ts';
import type { SaveTarget } from './pack-appender.ts';
import { PackReads, type SharedPlaceRead } from './pack-reads.ts';
import { hashOf } from './pack-record.ts';

/** Options of a {@link DiskCache}. */
export interface DiskCacheOptions {
  /** The folder of the cache; made with mode 0700 if it does not exist. */
  folder: string;
  /**
   * The size limit of all entries together. Each process may exceed it by what it is writing. @default 10 GiB
   */
  maxBytes?: number;
  /** Called once, when nothing can be stored any longer. */
  warn?: (message: string) => void;
  /** Returns milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Whether to overwrite memory that is released, so that specs notice who reads it too late. @default false */
  poisonsReleased?: boolean;
}

/** What a cache has done so far. */
export interface DiskCacheCounts {
  hits: number;
  misses: number;
  /** Entries that did not match their checksums; they count as misses, too. */
  damaged: number;
  stored: number;
}

/** An entry that was read. */
export interface ReadEntry extends CacheEntry {
  /** Lets the memory of the bytes be used again. Nothing may read them afterwards. Need not be called. */
  release?: () => void;
}

/**
 * Reads an entry in another thread, as {@link readPlaceNow}.
 * @returns Undefined, at once or later, if no thread does it. `found` is undefined if the pack does not
 * exist.
 */
export type ReadElsewhere = (
  place: EntryPlace,
) => Promise<{ found: PlaceRead | undefined } | undefined> | undefined;

const DEFAULT_CACHE_BYTES = 10 * 1024 ** 3;
/** A hit updates the time of a pack's last use, but at most once within this time. */
const TOUCH_AFTER_MS = 60_000;
/** How many hashes of missing keys are remembered. Most keys that were missing are stored next. */
const MOST_MISSED = 10_000;
/** How many packs are remembered as used within that time. */
const MOST_TOUCHED = 10_000;

/** A cache in a folder. */
export class DiskCache {
  readonly counts: DiskCacheCounts = { hits: 0, misses: 0, damaged: 0, stored: 0 };
  readonly #folder: CacheFolder;
  readonly #reads: PackReads;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  /** Hashes of keys that were missing. */
  readonly #missed = new Map<string, Uint8Array>();
  /** When this process last marked a pack as used, by path. */
  readonly #touched = new Map<string, number>();
  #ready: Promise<boolean> | undefined;
  #writable = true;
  #isOpen = false;
  #mayHoldEntries = false;

  constructor({
    folder,
    maxBytes = DEFAULT_CACHE_BYTES,
    warn = () => undefined,
    now = Date.now,
    poisonsReleased,
  }: DiskCacheOptions) {
    this.#reads = new PackReads({ poisons: poisonsReleased });
    this.#folder = new CacheFolder(folder, maxBytes);
    this.#now = now;
    this.#warn = warn;
  }

  /**
   * Reads the entry at a key; undefined if there is none, or if it is damaged.
   * @param maxBytes The largest valid size: a larger entry is damaged, and not read.
   * @param readElsewhere Reads the entry in another thread, if one does it. The bytes of the entry are then
   * what
   *   that thread returns.
   */
  async get(
    key: string,
    maxBytes = LARGEST_ENTRY_BYTES,
    readElsewhere?: ReadElsewhere,
  ): Promise<ReadEntry | undefined> {
    const found = (await this.#open())
      ? await this.#read(key, Math.min(maxBytes, LARGEST_ENTRY_BYTES), readElsewhere)
      : undefined;
    this.counts[found ? 'hits' : 'misses']++;
    return found;
  }

  /** Whether any entry, of any volume, may be in the folder. */
  get mayHoldEntries(): boolean {
    return (this.#mayHoldEntries ||= this.#folder.hasIndex());
  }

  /** Stores an entry if it can. A failure to store is not an error. */
  async put(key: string, entry: Omit<CacheEntry, 'storedMs'>): Promise<void> {
    if (!(await this.#canStore(entry.bytes?.byteLength ?? 0))) return;
    const parts = encodeEntry(key, { ...entry, storedMs: this.#now() });
    if (parts) await this.#store(() => this.#folder.write(this.#takeHash(key), parts, this.#now()));
  }

  /** As {@link put}, for bytes that another thread holds. */
  async putHeld(key: string, held: HeldBytes, fields: Omit<CacheEntry, 'storedMs' | 'bytes'>): Promise<void> {
    if (!(await this.#canStore(held.byteLength))) return;
    const head = encodeHead(key, held, { ...fields, storedMs: this.#now() });
    if (!head) return;
    const size = head.byteLength + held.byteLength,
      hash = this.#takeHash(key);
    await this.#store(() =>
      this.#folder.writeWith(hash, size, this.#now(), (target) => held.write(target, hash, head)),
    );
  }

  /** Returns where a thread may store entries, and the time; undefined if it may not. */
  saveTarget(): { target: SaveTarget; nowMs: number } | undefined {
    return this.#isOpen && this.#writable ? { target: this.#folder.target, nowMs: this.#now() } : undefined;
  }

  /** Notes that a thread has stored an entry, or could not. */
  noteSaved(key: string, error?: { code: string | undefined; message: string }): void {
    this.#folder.index.expire(this.#takeHash(key));
    if (!error) this.counts.stored++;
    else if (error.code !== 'ENOENT') this.#stopStoring(Object.assign(new Error(error.message), error)); // else it was cleared
  }

  async #canStore(size: number): Promise<boolean> {
    return (await this.#open()) && this.#writable && size + ENTRY_OVERHEAD <= this.#folder.mostEntryBytes;
  }

  async #store(write: () => Promise<boolean>): Promise<void> {
    try {
      if (await retryOnShortage(() => this.#write(write))) this.counts.stored++;
    } catch (error) {
      this.#stopStoring(error);
    }
  }

  async #write(write: () => Promise<boolean>): Promise<boolean> {
    try {
      return await write();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.#folder.prepare(); // the cache was cleared in the meantime
      return write();
    }
  }

  async #read(
    key: string,
    maxBytes: number,
    readElsewhere: ReadElsewhere | undefined,
  ): Promise<ReadEntry | undefined> {
    const hash = hashOf(key);
    try {
      const read = await this.#readPlace(hash, maxBytes, readElsewhere);
      if (!read) {
        if (this.#missed.size < MOST_MISSED) this.#missed.set(key, hash);
        return undefined;
      }
      const { place, found } = read;
      if (found?.decoded?.key !== key) {
        this.counts.damaged++;
        if (this.#writable) await this.#folder.remove(hash);
        return undefined;
      }
      const touching = this.#touch(place, found.usedMs);
      if (touching) await touching;
      const { entry } = found.decoded;
      return found.release ? { ...entry, release: found.release } : entry;
    } catch {
      return undefined; // an entry that cannot be read is a miss
    }
  }

  /**
   * Reads what is at the place of an entry. @returns undefined if there is none; no `found` if it is too
   * large.
   */
  async #readPlace(hash: Uint8Array, maxBytes: number, readElsewhere: ReadElsewhere | undefined) {
    const { index } = this.#folder;
    for (let attempt = 0; attempt < 2; attempt++) {
      const place = await retryOnShortage(() => index.find(hash, this.#now()));
      if (!place) return undefined;
      if (place.length > maxBytes + ENTRY_OVERHEAD) return { place };
      const elsewhere = await readElsewhere?.(place),
        found: SharedPlaceRead | undefined = elsewhere ? elsewhere.found : await this.#reads.read(place);
      if (found) return { place, found };
      index.expire(hash); // its pack was evicted, and the entry may be in another one now
    }
    return undefined;
  }

  #takeHash(key: string): Uint8Array {
    const hash = this.#missed.get(key) ?? hashOf(key);
    this.#missed.delete(key);
    return hash;
  }

  #touch(place: EntryPlace, usedMs: number): Promise<void> | undefined {
    const now = this.#now(),
      lastMs = Math.max(usedMs, this.#touched.get(place.file) ?? 0);
    if (now - lastMs <= TOUCH_AFTER_MS) return undefined;
    if (this.#touched.size >= MOST_TOUCHED) this.#touched.clear();
    this.#touched.set(place.file, now);
    return this.#folder.touch(place, now);
  }

  /** Makes the folder on first use. @returns whether it can be read. */
  #open(): Promise<boolean> {
    return (this.#ready ??= this.#folder.prepare().then(
      async () => {
        await this.#folder.cleanUp(this.#now()).catch((error: unknown) => this.#stopStoring(error));
        return (this.#isOpen = true);
      },
      (error: unknown) => {
        this.#stopStoring(error);
        return false;
      },
    ));
  }

  #stopStoring(error: unknown): void {
    if (!this.#writable || isDescriptorShortage(error)) return; // others may close files
    this.#writable = false;
    this.#warn(`the cache at ${this.#folder.path} no longer stores anything: ${(error as Error).message}`);
  }
}
