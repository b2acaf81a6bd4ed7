/** Stores chunks in the disk cache from a worker thread, without asking the main thread for each. */
import { crc32 } from 'node:zlib';
import { redactSecrets } from '../base/secret-redaction.ts';
import { encodeHead, ENTRY_OVERHEAD } from '../cache/entry.ts';
import { Allowance, PackAppender } from '../cache/pack-appender.ts';
import { hashOf } from '../cache/pack-record.ts';
import type { ChunkWorkResult, SaveOrder } from '../chunks/chunk-work.ts';
import { INFLATED, type DiskForm } from '../chunks/disk-form.ts';
import { readValidator } from '../storage/validator.ts';

type Saved = NonNullable<ChunkWorkResult['saved']>;

/** Stores chunks. Call `flush` before anybody is told that they are stored. */
export class ChunkSaver {
  readonly #appender = new PackAppender();
  readonly #allowance = new Allowance();
  #unnamed: Saved[] = [];

  /**
   * Stores a chunk.
   * @param crc The CRC-32 of its bytes.
   * @param reply The reply that it came in, with the version of the object.
   * @returns undefined if this thread cannot: the main thread may make room, or knows what to do.
   */
  save(
    { bytes, form }: DiskForm,
    crc: number,
    { target, key, origin, nowMs, validator: known }: SaveOrder,
    reply: { headers: Readonly<Record<string, unknown>>; body: Uint8Array } | undefined,
  ): Saved | undefined {
    if (bytes.byteLength + ENTRY_OVERHEAD > target.mostEntryBytes) return undefined;
    const version = reply ? readValidator(reply.headers, reply.body.byteLength) : known,
      validator = version !== undefined && redactSecrets(version) === version ? version : undefined,
      payload = { byteLength: bytes.byteLength, crc },
      head = encodeHead(key, payload, { validator, storedMs: nowMs, form, origin });
    if (!head) return undefined;
    try {
      if (!this.#allowance.take(target, head.byteLength + bytes.byteLength)) return undefined;
      this.#appender.append(target, hashOf(key), [head, bytes]);
    } catch {
      return undefined; // the main thread will meet the same error, and knows what to do
    }
    const saved: Saved = {};
    this.#unnamed.push(saved);
    return saved;
  }

  /** Names in the index what was stored. What cannot be named has an error then. */
  flush(): void {
    const unnamed = this.#unnamed;
    this.#unnamed = [];
    try {
      this.#appender.flush();
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      for (const saved of unnamed) saved.error = { code, message };
    }
  }
}

const TRAILER = 8;

/**
 * Returns the CRC-32 of a chunk in its form. Gzip ends with the CRC-32 and the size of what it holds, and zlib has
 * compared them. Where other bytes follow, the size differs, or an entry with a false checksum is a miss.
 */
export function crcOf(
  { bytes, form }: DiskForm,
  stored: Uint8Array,
  contentEncoding: string | undefined,
): number {
  if (form !== INFLATED || contentEncoding !== 'gzip' || stored.byteLength < TRAILER) return crc32(bytes);
  const trailer = new DataView(stored.buffer, stored.byteOffset + stored.byteLength - TRAILER, TRAILER);
  return trailer.getUint32(4, true) === bytes.byteLength ? trailer.getUint32(0, true) : crc32(bytes);
}
