/**
 * Bytes kept on disk by key, for all processes of one user. What it says is what was put there, checksums agreeing, or nothing: a
 * damaged entry is a miss, a full disk or a read-only folder means going on without; a lack of file descriptors is waited for. None of its
 * methods throws.
 *
 * Memory: one entry at a time while it is read or written.
 */
import { isDescriptorShortage, retryOnShortage } from '../base/descriptor-shortage.ts';
import { decodeEntry, encodeEntry, ENTRY_OVERHEAD, type CacheEntry } from './entry.ts';
import { CacheFolder, LARGEST_ENTRY_BYTES } from './cache-folder.ts';

export interface DiskCacheOptions {
  /** Made where it is missing, with mode 0700. */
  folder: string;
  /** All entries together take no more. @default 10 GiB */
  maxBytes?: number;
  /** Told once, when nothing can be stored any more. */
  warn?: (message: string) => void;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

export interface DiskCacheCounts {
  hits: number;
  misses: number;
  /** Entries that did not check out, which were taken for misses. */
  damaged: number;
  stored: number;
}

const DEFAULT_CACHE_BYTES = 10 * 1024 ** 3;
/** One entry never takes more than this share of the cache, nor more than {@link LARGEST_ENTRY_BYTES}. */
const LARGEST_SHARE = 0.1;
/** A hit moves an entry to the end of the line, but not again within this time. */
const TOUCH_AFTER_MS = 60_000;

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
   * The entry at a key.
   * @param maxBytes More than this in it is damage, not an allocation.
   */
  async get(key: string, maxBytes = LARGEST_ENTRY_BYTES): Promise<CacheEntry | undefined> {
    const found = (await this.#open())
      ? await this.#read(key, Math.min(maxBytes, LARGEST_ENTRY_BYTES))
      : undefined;
    this.counts[found ? 'hits' : 'misses']++;
    return found;
  }

  /** Keeps the entry, or does not. */
  async put(key: string, { bytes, validator }: Pick<CacheEntry, 'bytes' | 'validator'>): Promise<void> {
    const size = bytes?.byteLength ?? 0;
    if (
      !(await this.#open()) ||
      !this.#writable ||
      size + ENTRY_OVERHEAD > LARGEST_SHARE * this.#maxBytes ||
      size > LARGEST_ENTRY_BYTES
    )
      return;
    const parts = encodeEntry(key, { bytes, validator, storedMs: this.#now() });
    if (!parts) return;
    try {
      if (await retryOnShortage(() => this.#write(this.#folder.fileOf(key), parts))) this.counts.stored++;
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async #write(file: string, parts: readonly Uint8Array[]): Promise<boolean> {
    try {
      return await this.#folder.write(file, parts, this.#now());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.#folder.prepare(); // it was cleared meanwhile
      return this.#folder.write(file, parts, this.#now());
    }
  }

  async #read(key: string, maxBytes: number): Promise<CacheEntry | undefined> {
    const file = this.#folder.fileOf(key);
    try {
      const found = await retryOnShortage(() => this.#folder.read(file, maxBytes + ENTRY_OVERHEAD));
      if (!found) return undefined;
      const decoded = decodeEntry(found.bytes);
      if (decoded?.key !== key) {
        this.counts.damaged++;
        if (this.#writable) await this.#folder.remove(file);
        return undefined;
      }
      const now = this.#now();
      if (now - found.usedMs > TOUCH_AFTER_MS) await this.#folder.touch(file, now);
      return decoded.entry;
    } catch {
      return undefined; // it cannot be read: as good as not there
    }
  }

  /** Makes the folder at the first use. @returns whether it can be read. */
  #open(): Promise<boolean> {
    return (this.#ready ??= this.#folder.prepare().then(
      async () => {
        await this.#folder.cleanUp(this.#now()).catch((error: unknown) => this.#giveUp(error));
        return true;
      },
      (error: unknown) => {
        this.#giveUp(error);
        return false;
      },
    ));
  }

  #giveUp(error: unknown): void {
    if (!this.#writable || isDescriptorShortage(error)) return; // that passes
    this.#writable = false;
    this.#warn(
      `nothing is stored in the cache at ${this.#folder.path} any more: ${(error as Error).message}`,
    );
  }
}
