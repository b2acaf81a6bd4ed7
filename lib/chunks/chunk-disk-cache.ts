/** A volume's part of the disk cache: what was read of it once, and whether that may still be used. */
import { RequestError } from '../base/errors.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import type { DiskCache } from '../cache/disk-cache.ts';
import { entryName } from '../cache/entry-name.ts';
import type { Meter, Store } from '../storage/store.ts';
import type { Revalidation } from './cache-options.ts';

/** By object and version: whether the one is still the other. */
export type VersionChecks = Map<string, Promise<boolean>>;

export interface ChunkDiskCacheOptions {
  disk: DiskCache;
  store: Store;
  /** Whose the entries are: the volume, what of its info matters, and who read it. No secrets: it is written to disk. Handled: each read that needs it tells its failure. */
  scope: Promise<string>;
  revalidate: Revalidation;
  /** How long it is believed that there is nothing at a place. @default 600_000 */
  maxAbsentAgeMs?: number;
  now?: () => number;
}

export class ChunkDiskCache {
  readonly #options: ChunkDiskCacheOptions;

  constructor(options: ChunkDiskCacheOptions) {
    this.#options = options;
  }

  /**
   * @param object Key of the stored object that it came from.
   * @param maxBytes More than this is no answer.
   * @param checks What objects were found to be, for all that one read asks about: each is asked about once.
   * @param mustStand What is outdated would make other things wrong: it is asked about, unless nothing ever is.
   * @returns What was kept, `bytes` undefined when nothing is stored there; undefined when it is not known.
   * @throws RequestError, when the object has to be asked about and cannot be.
   */
  async get(
    key: string,
    object: string,
    maxBytes: number,
    { signal, meter }: { signal: AbortSignal; meter: Meter },
    checks: VersionChecks,
    mustStand = false,
  ): Promise<{ bytes: Uint8Array | undefined; validator?: string } | undefined> {
    const { disk, scope, revalidate, maxAbsentAgeMs: absentMs = 600_000, now = Date.now } = this.#options;
    const entry = await disk.get(entryName(await scope, key), maxBytes);
    if (!entry) return undefined;
    if (!entry.bytes) return revalidate !== 'always' && now() - entry.storedMs < absentMs ? entry : undefined;
    if (revalidate === 'never' || (revalidate === 'info' && !mustStand)) return entry;
    return entry.validator !== undefined &&
      (await this.#stands(object, entry.validator, { signal, meter }, checks))
      ? entry
      : undefined;
  }

  /** Keeps what was read, or that there is nothing. */
  async put(key: string, bytes: Uint8Array | undefined, validator?: string): Promise<void> {
    const { disk, scope } = this.#options;
    await disk.put(entryName(await scope, key), {
      bytes,
      validator: isShowable(validator) ? validator : undefined,
    });
  }

  #stands(
    object: string,
    validator: string,
    read: { signal: AbortSignal; meter: Meter },
    checks: VersionChecks,
  ): Promise<boolean> {
    const key = `${object} ${validator}`;
    let check = checks.get(key);
    if (!check) checks.set(key, (check = this.#ask(object, validator, read)));
    return check;
  }

  async #ask(
    object: string,
    validator: string,
    { signal, meter }: { signal: AbortSignal; meter: Meter },
  ): Promise<boolean> {
    try {
      const found = await this.#options.store.read(object, {
        range: { start: 0, end: 1 },
        ifNoneMatch: validator,
        signal,
        meter,
        maxBytes: ASK_BYTES,
        absentBy403: true,
      });
      return found?.notModified === true;
    } catch (error) {
      if (error instanceof RequestError && leavesOpen(error)) return false;
      throw error;
    }
  }
}

/** Of another version, from a server that knows no ranges, no more is read than this. */
const ASK_BYTES = 65_536;

/** An answer, but none to the question: all of an object, an empty one (416), a precondition taken for another (412). Reading it will tell. */
const leavesOpen = ({ code, status }: RequestError): boolean =>
  code === 'TOO_LARGE' || code === 'BAD_RESPONSE' || status === 412;

const isShowable = (text: string | undefined): boolean => text !== undefined && redactSecrets(text) === text;
