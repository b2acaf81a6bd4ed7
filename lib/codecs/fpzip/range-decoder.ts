/**
 * The state of the range decoder of an fpzip stream, and the errors of all loops that advance it. Numbers that are
 * not modelled (the header) are read here; the loops that decode values hold the state in local variables.
 *
 * The algorithm is that of fpzip (github.com/LLNL/fpzip), src/rcdecoder.cpp. Copyright (c) 2018-2019, Lawrence
 * Livermore National Security, LLC; BSD 3-Clause License, see licenses/fpzip.txt.
 */
import { DecodeError } from '../../base/errors.ts';

/** Where a stream is. `low`, `range` and `code` are 32 bits wide; only their bits count, not their sign. */
export class RangeDecoder {
  /** The start of the interval. */
  low = 0;
  /** The length of the interval. */
  range = -1;
  /** The bytes read so far, modulo 2^32. */
  code = 0;
  /** The next byte. */
  position = 4;

  readonly view: DataView;

  /** @throws DecodeError TRUNCATED. */
  constructor(readonly bytes: Uint8Array) {
    if (bytes.length < 4) throw truncated(bytes);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let k = 0; k < 4; k++) this.code = (this.code << 8) | bytes[k];
  }

  /**
   * Returns the four bytes from `position`, the first one highest, with zeros after the end.
   *
   * @param bits How many of their bits are needed: 0, 8, 16 or 24.
   * @throws DecodeError TRUNCATED.
   */
  wordBeforeEnd(position: number, bits: number): number {
    const { bytes } = this;
    if (position + bits / 8 > bytes.length) throw truncated(bytes);
    let word = 0;
    for (let k = position; k < position + 4; k++) word = (word << 8) | (k < bytes.length ? bytes[k] : 0);
    return word;
  }

  /**
   * Reads a number of up to 32 bits.
   * @throws DecodeError TRUNCATED or BAD_BITSTREAM.
   */
  readNumber(bits: number): number {
    return bits <= 16 ? this.#readShort(bits) : this.#readShort(16) + 0x10000 * this.#readShort(bits - 16);
  }

  #readShort(bits: number): number {
    this.range >>>= bits;
    const value = Math.floor(((this.code - this.low) >>> 0) / this.range);
    if (value >>> bits !== 0) throw badBitstream(this.position);
    this.low = (this.low + Math.imul(this.range, value)) | 0;
    while ((this.low ^ (this.low + this.range)) >>> 24 === 0) this.#take(1);
    if (this.range >>> 16 === 0) {
      this.#take(2);
      this.range = -this.low;
    }
    return value;
  }

  #take(count: number): void {
    for (; count > 0; count--) {
      if (this.position >= this.bytes.length) throw truncated(this.bytes);
      this.code = (this.code << 8) | this.bytes[this.position++];
      this.low <<= 8;
      this.range <<= 8;
    }
  }
}

/** Creates the error of a stream that ends before its last wanted value. */
export const truncated = ({ length }: Uint8Array): DecodeError =>
  new DecodeError('TRUNCATED', `fpzip: the stream ends too early, after ${length} bytes`);

/** Creates the error of bytes that no encoder writes. */
export const badBitstream = (position: number): DecodeError =>
  new DecodeError('BAD_BITSTREAM', `fpzip: a number before byte ${position} is out of range`);
