/**
 * The records of the index of packs: where the entry of a key is. The index is an append-only file of such
 * records; of several with one hash, the last counts.
 *
 *     "GPX3" | hash of the key, 16 bytes | writer, 8 bytes | number of the pack, u32 | offset, u32 | length,
 *     u32
 *
 * Numbers are little-endian. A record of length 0 says that there is no entry. A false record does no harm:
 * the entry itself holds its key and checksums.
 */
import { hash } from 'node:crypto';

/** Bytes of one record. */
export const RECORD_BYTES = 40;
const WORDS = RECORD_BYTES / 4;
const MAGIC = Buffer.from('GPX3'),
  MAGIC_WORD = MAGIC.readUInt32LE();
/** Bytes of a key's hash. Two keys with one hash would only miss each other's entries. */
const HASH_BYTES = 16;
const [HASH, WRITER, NUMBER, OFFSET, LENGTH] = [1, 5, 7, 8, 9];

/** The position of an entry in a pack. */
export interface PackPosition {
  /** The name of the pack. */
  pack: string;
  offset: number;
  /** 0 if there is no entry. */
  length: number;
}

/** Returns the hash of a key. */
export const hashOf = (key: string): Uint8Array => hash('sha256', key, 'buffer').subarray(0, HASH_BYTES);

const hex = (word: number): string => word.toString(16).padStart(8, '0');

/** Returns the name of a pack. @param writer 8 bytes that only its writer uses. */
export function packName(writer: Uint8Array, number: number): string {
  return `${Buffer.from(writer).toString('hex')}-${hex(number)}`;
}

/** The names of packs. */
export const PACK_NAME = /^[0-9a-f]{16}-[0-9a-f]{8}$/;

/** Makes a record. */
export function encodeRecord(hash: Uint8Array, { pack, offset, length }: PackPosition): Uint8Array {
  const record = Buffer.alloc(RECORD_BYTES);
  record.set(MAGIC);
  record.set(hash, 4 * HASH);
  record.write(pack.slice(0, 16), 4 * WRITER, 'hex');
  record.writeUInt32LE(Number.parseInt(pack.slice(17), 16), 4 * NUMBER);
  record.writeUInt32LE(offset, 4 * OFFSET);
  record.writeUInt32LE(length, 4 * LENGTH);
  return record;
}

/** Makes a record that says that a key has no entry. */
export const encodeRemoval = (hash: Uint8Array): Uint8Array =>
  encodeRecord(hash, { pack: `${'0'.repeat(16)}-${'0'.repeat(8)}`, offset: 0, length: 0 });

/**
 * Records in memory, found by hash. Memory: 40 bytes per record, and 8 to 16 more.
 */
export class RecordTable {
  #words = new Uint32Array(64 * WORDS);
  #count = 0;
  /** Open addressing by the first word of the hash: 1 + the number of the record, or 0. */
  #slots = new Uint32Array(256);
  #hashes = 0;

  /**
   * Adds the records of a piece of the file. It skips bytes that are not a record, which a full disk may
   * leave.
   * @returns how many bytes were used. The rest is the beginning of a record.
   */
  add(bytes: Uint8Array): number {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isStart = (at: number): boolean => source.readUInt32LE(at) === MAGIC_WORD;
    let at = 0;
    while (at + RECORD_BYTES <= source.length) {
      const end = at + RECORD_BYTES;
      // A record that something else follows may be torn, and the next one begin within it.
      const isWhole = isStart(at) && (end + MAGIC.length > source.length || isStart(end));
      const next = isWhole ? -1 : source.indexOf(MAGIC, at + 1);
      if (isWhole || (isStart(at) && (next < 0 || next >= end))) {
        this.#append(source.subarray(at, end));
        at = end;
      } else if (next >= 0) at = next;
      else return source.length - MAGIC.length + 1;
    }
    return at;
  }

  /** Returns the position of an entry; undefined if there is none. */
  find(hash: Uint8Array): PackPosition | undefined {
    const number = this.#slots[this.#slotOf(wordsOf(hash), 0)];
    const found = number > 0 ? this.#position(number - 1) : undefined;
    return found && found.length > 0 ? found : undefined;
  }

  /** Lists the entries in the order of the file, with the bytes of their records. */
  *entries(): Generator<PackPosition & { hash: Uint8Array; record: Uint8Array }> {
    for (let k = 0; k < this.#count; k++) {
      const found = this.#position(k);
      if (found.length === 0 || this.#slots[this.#slotOf(this.#words, k * WORDS + HASH)] !== k + 1) continue;
      const record = new Uint8Array(this.#words.buffer, k * RECORD_BYTES, RECORD_BYTES);
      yield { ...found, record, hash: record.subarray(4 * HASH, 4 * HASH + HASH_BYTES) };
    }
  }

  #append(record: Uint8Array): void {
    if ((this.#count + 1) * WORDS > this.#words.length) {
      const grown = new Uint32Array(2 * this.#words.length);
      grown.set(this.#words);
      this.#words = grown;
    }
    new Uint8Array(this.#words.buffer).set(record, this.#count * RECORD_BYTES);
    this.#count++;
    this.#enter(this.#count - 1);
    if (2 * this.#hashes <= this.#slots.length) return;
    this.#slots = new Uint32Array(4 * this.#slots.length);
    this.#hashes = 0;
    for (let k = 0; k < this.#count; k++) this.#enter(k);
  }

  #enter(k: number): void {
    const slot = this.#slotOf(this.#words, k * WORDS + HASH);
    if (this.#slots[slot] === 0) this.#hashes++;
    this.#slots[slot] = k + 1;
  }

  /** Returns the slot of a hash, or the free slot where it belongs. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1,
      known = this.#words;
    for (let slot = words[at] & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot],
        other = (number - 1) * WORDS + HASH;
      if (
        number === 0 ||
        (known[other] === words[at] &&
          known[other + 1] === words[at + 1] &&
          known[other + 2] === words[at + 2] &&
          known[other + 3] === words[at + 3])
      )
        return slot;
    }
  }

  #position(k: number): PackPosition {
    const words = this.#words.subarray(k * WORDS, (k + 1) * WORDS);
    const writer = new Uint8Array(words.buffer, words.byteOffset + 4 * WRITER, 8);
    return { pack: packName(writer, words[NUMBER]), offset: words[OFFSET], length: words[LENGTH] };
  }
}

const wordsOf = (hash: Uint8Array): Uint32Array => new Uint32Array(hash.slice().buffer);
