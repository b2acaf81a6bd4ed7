/**
 * Keeps bytes on disk by key, for all processes of one user. An entry is returned only if its checksums
 * agree; a damaged one is a miss. On a full disk or in a read-only folder nothing is stored. If no file
 * descriptor is left, calls wait for one. No method throws.
 *
 * Memory: one entry at a time, while it is read or written.
 */
import { isDescriptorShortage, retryOnShortage } from '../base/descriptor-shortage.ts';
import { decodeEntry, encodeEntry, encodeHead, ENTRY_OVERHEAD, type CacheEntry } from './entry.ts';
import type { EntryFile, HeldBytes } from './entry-files.ts';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';

/** Options of a {@link DiskCache}. */
export interface DiskCacheOptions {
  /** The folder of the cache; made with mode 0700 if it does not exist. */
  folder: string;
  /** The size limit of all entries together. Each process may exceed it by what it is writing. @default 10 GiB */
  maxBytes?: number;
  /** Called once, when nothing can be stored any longer. */
  warn?: (message: string) => void;
  /** Returns milliseconds since 1970. @default Date.now */
  now?: () => number;
}

/** What a cache has done so far. */
export interface DiskCacheCounts {
  hits: number;
  misses: number;
  /** Entries that did not match their checksums; they count as misses, too. */
  damaged: number;
  stored: number;
}

/**
 * Reads an entry in another thread, as {@link readEntryNow}.
 * @returns Undefined, at once or later, if no thread does it. `found` is undefined if the file does not exist.
 */
export type ReadElsewhere = (
  file: string,
  maxBytes: number,
) => Promise<{ found: EntryFile | undefined } | undefined> | undefined;

const DEFAULT_CACHE_BYTES = 10 * 1024 ** 3;
/** The largest share of the cache that one entry may take. {@link LARGEST_ENTRY_BYTES} is a limit, too. */
const LARGEST_SHARE = 0.1;
/** A hit updates the time of an entry's last use, but at most once within this time. */
const TOUCH_AFTER_MS = 60_000;

/** A cache in a folder. */
export class DiskCache {
  readonly counts: DiskCacheCounts = { hits: 0, misses: 0, damaged: 0, stored: 0 };
  readonly #folder: CacheFolder;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  #ready: Promise<boolean> | undefined;
  #writable = true;

  constructor({
    folder,
    maxBytes = DEFAULT_CACHE_BYTES,
    warn = () => undefined,
    now = Date.now,
  }: DiskCacheOptions) {
    this.#folder = new CacheFolder(folder, maxBytes);
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#warn = warn;
  }

  /**
   * Reads the entry at a key; undefined if there is none, or if it is damaged.
   * @param maxBytes The largest valid size: a larger entry is damaged, and not read.
   * @param readElsewhere Reads the entry in another thread, if one does it. The bytes of the entry are then what
   *   that thread returns.
   */
  async get(
    key: string,
    maxBytes = LARGEST_ENTRY_BYTES,
    readElsewhere?: ReadElsewhere,
  ): Promise<CacheEntry | undefined> {
    const found = (await this.#open())
      ? await this.#read(key, Math.min(maxBytes, LARGEST_ENTRY_BYTES), readElsewhere)
      : undefined;
    this.counts[found ? 'hits' : 'misses']++;
    return found;
  }

  /** Stores an entry if it can. A failure to store is not an error. */
  async put(key: string, entry: Omit<CacheEntry, 'storedMs'>): Promise<void> {
    if (!(await this.#canStore(entry.bytes?.byteLength ?? 0))) return;
    const parts = encodeEntry(key, { ...entry, storedMs: this.#now() }),
      file = this.#folder.fileOf(key);
    if (parts) await this.#store(() => this.#folder.write(file, parts, this.#now()));
  }

  /** As {@link put}, for bytes that another thread holds. */
  async putHeld(key: string, held: HeldBytes, fields: Omit<CacheEntry, 'storedMs' | 'bytes'>): Promise<void> {
    if (!(await this.#canStore(held.byteLength))) return;
    const head = encodeHead(key, held, { ...fields, storedMs: this.#now() }),
      file = this.#folder.fileOf(key);
    if (!head) return;
    const size = head.byteLength + held.byteLength;
    await this.#store(() =>
      this.#folder.writeWith(file, size, this.#now(), (temporary) => held.write(temporary, file, head)),
    );
  }

  async #canStore(size: number): Promise<boolean> {
    return (
      (await this.#open()) &&
      this.#writable &&
      size + ENTRY_OVERHEAD <= LARGEST_SHARE * this.#maxBytes &&
      size <= LARGEST_ENTRY_BYTES
    );
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

  async #readFile(file: string, maxBytes: number): Promise<EntryFile | undefined> {
    const found = await retryOnShortage(() => this.#folder.read(file, maxBytes + ENTRY_OVERHEAD));
    return found && { decoded: decodeEntry(found.bytes), usedMs: found.usedMs };
  }

  async #read(
    key: string,
    maxBytes: number,
    readElsewhere: ReadElsewhere | undefined,
  ): Promise<CacheEntry | undefined> {
    const file = this.#folder.fileOf(key);
    try {
      const elsewhere = await readElsewhere?.(file, maxBytes),
        found = elsewhere ? elsewhere.found : await this.#readFile(file, maxBytes);
      if (!found) return undefined;
      const { decoded } = found;
      if (decoded?.key !== key) {
        this.counts.damaged++;
        if (this.#writable) await this.#folder.remove(file);
        return undefined;
      }
      const now = this.#now();
      if (now - found.usedMs > TOUCH_AFTER_MS) await this.#folder.touch(file, now);
      return decoded.entry;
    } catch {
      return undefined; // an entry that cannot be read is a miss
    }
  }

  /** Makes the folder on first use. @returns whether it can be read. */
  #open(): Promise<boolean> {
    return (this.#ready ??= this.#folder.prepare().then(
      async () => {
        await this.#folder.cleanUp(this.#now()).catch((error: unknown) => this.#stopStoring(error));
        return true;
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
