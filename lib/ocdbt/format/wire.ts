/**
 * Reads the fields of OCDBT's structures: bytes, little-endian integers and LEB128 varints. Every read is
 * checked against the end. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst and format/codec_util.cc.
 */
import { DecodeError } from '../../base/errors.ts';

/** What `varint64` returns for 2^64 - 1, which marks an empty tree. */
export const ALL_ONES = -1;

/** Reads one structure from its beginning. `what` names it in errors, such as `B+tree node`. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  /** Makes an error about the structure. */
  error(message: string, code: DecodeError['code'] = 'BAD_HEADER'): DecodeError {
    return new DecodeError(code, `OCDBT ${this.#what}: ${message}`);
  }

  /** Passes `count` bytes. Returns the position of the first. */
  #pass(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.byteLength - at)
      throw this.error(`ends at byte ${this.#bytes.byteLength}, inside a field`, 'TRUNCATED');
    this.#at += count;
    return at;
  }

  uint8(): number {
    return this.#bytes[this.#pass(1)];
  }

  /** Returns the next bytes, as a view. */
  bytes(count: number): Uint8Array {
    const at = this.#pass(count);
    return this.#bytes.subarray(at, at + count);
  }

  int32(): number {
    return this.#view.getInt32(this.#pass(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#pass(8), true);
  }

  /** Reads a varint of at most `bits` bits (up to 32). */
  varint(bits: 16 | 32): number {
    const value = this.varint64();
    if (value < 0 || value >= 2 ** bits) throw this.error(`a number has more than ${bits} bits`);
    return value;
  }

  /**
   * Reads a varint of at most 64 bits. Returns {@link ALL_ONES} for 2^64 - 1, and Infinity for other values
   * above 2^53.
   */
  varint64(): number {
    let value = 0,
      scale = 1,
      isAllOnes = true;
    for (let k = 0; k < 10; k++) {
      const byte = this.#bytes[this.#pass(1)],
        digits = byte & 0x7f;
      if (k === 9 && byte > 1) break;
      isAllOnes &&= digits === (k === 9 ? 1 : 0x7f);
      value += digits * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      if (k === 9 && isAllOnes) return ALL_ONES;
      return Number.isSafeInteger(value) ? value : Infinity;
    }
    throw this.error('a number has more than 64 bits');
  }

  /** Reads a varint64 that counts or positions something. @throws DecodeError above 2^53. */
  count(name: string): number {
    const value = this.varint64();
    if (value < 0 || value === Infinity) throw this.error(`${name} is larger than 2^53`);
    return value;
  }

  /** Reads `length` counts. The caller has checked that `length` is not larger than {@link left}. */
  counts(length: number, name: string): Float64Array {
    const values = new Float64Array(length);
    for (let k = 0; k < length; k++) values[k] = this.count(name);
    return values;
  }

  /** Passes `length` varints whose values are not needed. */
  skipVarints(length: number): void {
    for (let k = 0; k < length; k++) this.varint64();
  }

  /**
   * Checks a number of entries before anything is allocated for them: each takes at least `entryBytes` bytes.
   */
  checkEntries(entries: number, most: number, entryBytes: number): void {
    if (entries > most) throw this.error(`${entries} entries; at most ${most} are possible`);
    if (entries * entryBytes > this.left)
      throw this.error(`${entries} entries do not fit in ${this.left} bytes`, 'TRUNCATED');
  }

  /** Checks that everything was read. */
  end(): void {
    if (this.left > 0) throw this.error(`${this.left} bytes too many`, 'WRONG_SIZE');
  }
}
