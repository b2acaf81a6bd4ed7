/**
 * The part of the disk cache that belongs to one volume: keeps what was read, and checks whether it is still
 * current.
 */
import { RequestError } from '../base/errors.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import type { DiskCache, ReadElsewhere } from '../cache/disk-cache.ts';
import type { HeldBytes } from '../cache/pack-files.ts';
import { entryName } from '../cache/entry-name.ts';
import type { Meter, Store } from '../storage/store.ts';
import type { Revalidation } from './cache-options.ts';
import type { ChunkWorkResult, SaveOrder } from './chunk-work.ts';

/** Checks in progress or done, by object and version: whether the object still has that version. */
export type VersionChecks = Map<string, Promise<boolean>>;

/** Options of a {@link ChunkDiskCache}. */
export interface ChunkDiskCacheOptions {
  disk: DiskCache;
  store: Store;
  /**
   * Names the owner of the entries: the volume, the parts of its info that decide how chunks are decoded, and
   * the reader. It is written to disk, so it must not contain secrets. If the promise rejects, each read that
   * needs it fails.
   */
  scope: Promise<string>;
  /**
   * Names the exact info of the volume. With `revalidate: 'info'`, entries that were made for another one are
   * not used.
   */
  infoHash: string;
  revalidate: Revalidation;
  /** How long a "not found" is used, in ms. @default 600_000 */
  maxAbsentAgeMs?: number;
  now?: () => number;
}

/** An entry that may be used. */
export interface UsableEntry {
  /** Undefined if the key is not stored. */
  bytes: Uint8Array | undefined;
  validator?: string;
  /** How the bytes are encoded, as it was given to `put`. */
  form?: string;
  /** Lets the memory of the bytes be used again. Nothing may read them afterwards. Need not be called. */
  release?: () => void;
}

/** Reads and writes the entries of one volume in the disk cache. */
export class ChunkDiskCache {
  readonly #options: ChunkDiskCacheOptions;
  /** The scope, when it is known. */
  #scope: string | undefined;

  constructor(options: ChunkDiskCacheOptions) {
    this.#options = options;
  }

  /**
   * Returns an entry that may be used, or undefined. In an entry for a key that is not stored, `bytes` is
   * undefined.
   * @param object Key of the stored object that the entry came from.
   * @param maxBytes A larger entry is not used.
   * @param checks The checks that one read shares, so that it checks each object once.
   * @param mustBeCurrent Whether an outdated entry would make other answers wrong. Such an entry is checked
   *   unless the option `revalidate` is `never`.
   * @param readElsewhere Reads the entry in another thread; see {@link DiskCache.get}.
   * @throws RequestError if the object must be checked and the request fails.
   */
  async get(
    key: string,
    object: string,
    maxBytes: number,
    read: { readonly signal: AbortSignal; meter: Meter },
    checks: VersionChecks,
    mustBeCurrent = false,
    readElsewhere?: ReadElsewhere,
  ): Promise<UsableEntry | undefined> {
    const { disk, scope, infoHash, revalidate, maxAbsentAgeMs = 600_000, now = Date.now } = this.#options;
    this.#scope ??= await scope;
    const entry = await disk.get(entryName(this.#scope, key), maxBytes, readElsewhere);
    if (!entry || (revalidate === 'info' && entry.origin !== infoHash)) return undefined;
    if (!entry.bytes)
      return revalidate !== 'always' && Math.abs(now() - entry.storedMs) < maxAbsentAgeMs ? entry : undefined;
    if (revalidate === 'never' || (revalidate === 'info' && !mustBeCurrent)) return entry;
    return entry.validator !== undefined && (await this.#isCurrent(object, entry.validator, read, checks))
      ? entry
      : undefined;
  }

  /**
   * Keeps the bytes of a key; undefined means that nothing is stored there.
   * @param form How the bytes are encoded, if the caller keeps several forms.
   */
  async put(key: string, bytes: Uint8Array | undefined, validator?: string, form?: string): Promise<void> {
    const { disk, scope } = this.#options;
    await disk.put(entryName(await scope, key), { bytes, ...this.#fields(validator, form) });
  }

  /** Whether any entry may be in the folder. */
  get mayHoldEntries(): boolean {
    return this.#options.disk.mayHoldEntries;
  }

  /** As {@link put}, for bytes that another thread holds. */
  async putHeld(key: string, held: HeldBytes, validator: string | undefined, form: string): Promise<void> {
    const { disk, scope } = this.#options;
    await disk.putHeld(entryName(await scope, key), held, this.#fields(validator, form));
  }

  /**
   * Returns how a thread may store a key that was not found; undefined if it may not.
   * @param version The version of the object. Undefined if it is in the reply that the thread will get.
   */
  saveOrder(key: string, version: { validator: string | undefined } | undefined): SaveOrder | undefined {
    const found = this.#scope === undefined ? undefined : this.#options.disk.saveTarget();
    if (!found) return undefined;
    const { validator, origin } = this.#fields(version?.validator, undefined);
    return { ...found, key: entryName(this.#scope!, key), origin, validator, isVersionInReply: !version };
  }

  /** Notes that a thread has stored a key, or could not. */
  noteSaved(key: string, { error }: NonNullable<ChunkWorkResult['saved']>): void {
    this.#options.disk.noteSaved(entryName(this.#scope!, key), error);
  }

  #fields(validator: string | undefined, form: string | undefined) {
    return {
      validator: isWithoutSecrets(validator) ? validator : undefined,
      form,
      origin: this.#options.infoHash,
    };
  }

  #isCurrent(
    object: string,
    validator: string,
    read: { readonly signal: AbortSignal; meter: Meter },
    checks: VersionChecks,
  ): Promise<boolean> {
    const key = `${object} ${validator}`;
    let check = checks.get(key);
    if (!check) checks.set(key, (check = this.#checkVersion(object, validator, read)));
    return check;
  }

  async #checkVersion(
    object: string,
    validator: string,
    { signal, meter }: { readonly signal: AbortSignal; meter: Meter },
  ): Promise<boolean> {
    try {
      const found = await this.#options.store.read(object, {
        range: { start: 0, end: 1 },
        ifNoneMatch: validator,
        signal,
        meter,
        maxBytes: CHECK_BYTES,
        absentBy403: true,
      });
      return found?.notModified === true;
    } catch (error) {
      if (error instanceof RequestError && isInconclusive(error)) return false;
      throw error;
    }
  }
}

/** Most bytes to read for a check, in case a server ignores ranges and sends the whole object. */
const CHECK_BYTES = 65_536;

/**
 * Whether an error says nothing about the version: the whole object came, the object is empty (416), or the
 * server misread the condition (412). The object is then read again.
 */
const isInconclusive = ({ code, status }: RequestError): boolean =>
  code === 'TOO_LARGE' || code === 'BAD_RESPONSE' || status === 412;

const isWithoutSecrets = (text: string | undefined): boolean =>
  text !== undefined && redactSecrets(text) === text;
