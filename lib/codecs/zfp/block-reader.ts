/**
 * Decodes the blocks of one zfp stream, one after the other or, at a fixed rate, in any order.
 *
 * Working memory: a copy of the longest stream, or at a fixed rate of its part from the first wanted block to
 * the last, and 10 kB.
 *
 * Source: zfp (github.com/LLNL/zfp), src/template/decodef.c, revdecodef.c, decodei.c and codecf.c.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see
 * licenses/zfp.txt.
 */
import { DecodeError } from '../../base/errors.ts';
import {
  HIGHEST_PLANE,
  LOWEST_PLANE,
  MAX_CODED_BITS,
  READ_AHEAD_WORDS,
  makePlanes,
  readNarrowPlanes,
  readPlanes,
  skipPlanes,
} from './bit-planes.ts';
import { COEFFICIENT_PLACES } from './coefficient-order.ts';
import { collectCoefficients, collectWideCoefficients } from './coefficients.ts';
import { PLANES_OF_SIXTEEN, decodeSixteen } from './decode-sixteen.ts';
import { inverseLosslessTransform, inverseTransform } from './inverse-transform.ts';
import { inverseLosslessWideTransform, inverseWideTransform } from './inverse-wide-transform.ts';
import type { ZfpHeader, ZfpType } from './zfp-header.ts';

/** Bit positions are 32-bit integers. */
const MAX_STREAM_BYTES = 2 ** 28 - 1 - 4 * READ_AHEAD_WORDS;

/** The longest header of a block: two flags, the exponent and the number of planes of a float64 block. */
const MAX_BLOCK_HEADER_BITS = 1 + 1 + 11 + 6;

/** Where a block of 4 x 4 goes in an array of its type: value (i, j) to `at + i * stride + j * rowStride`. */
export interface BlockPlace {
  readonly values: Int32Array | Float32Array | Float64Array;
  readonly at: number;
  readonly stride: number;
  readonly rowStride: number;
}

/** How the values follow from the integers of a block. */
const ZEROS = 0,
  INTEGERS = 1,
  SCALED = 2,
  SIGN_MAGNITUDE = 3;

/**
 * Tells whether each block has the same number of bits, so that it can be read without those before it. A
 * limit below the longest header is left out: then a block may take more.
 */
export const isFixedRate = ({ minBits, maxBits }: ZfpHeader): boolean =>
  minBits === maxBits && maxBits >= MAX_BLOCK_HEADER_BITS;

/**
 * With two dimensions, the low words are 0 if no lower plane was read: each dimension shifts by two bits at
 * most.
 */
const LOWEST_OF_HIGH_WORDS = 32 + 2 * 2;

/** Reads streams of one type and number of dimensions, one after the other. */
export class ZfpBlockReader {
  /** Values per block: 4, 16, 64 or 256. */
  readonly blockSize: number;
  /** The words of the last block that was decoded, the fastest dimension first. */
  readonly words: Uint32Array;
  #header!: ZfpHeader;
  readonly #places: Uint8Array;
  readonly #isWide: boolean;
  readonly #isFloat: boolean;
  /** What is added to exponents where they are stored. */
  readonly #bias: number;
  /** Views of `words`. */
  readonly #integers: Int32Array;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;
  /** Where a block of 4 x 4 is in `words`. */
  readonly #ownPlace: BlockPlace;
  /** The integers of a block; `high` only for 64-bit types. */
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  /** Own ones: planes above those of the type are never written and stay 0. */
  readonly #planes = makePlanes();
  #stream: Int32Array = new Int32Array(0);
  /** Position of the next block in `#stream`. */
  #position = 0;
  /** Where the data ends in `#stream`, in bits. */
  #end = 0;
  /** The bit of the stream's bytes at position 0 of `#stream`. */
  #origin = 0;
  /** From the header of the block: what it holds, its exponent, and how many planes. */
  #content = ZEROS;
  #exponent = 0;
  #planeCount = 0;
  /** The last exponent whose power of two was computed, and that power: most blocks have the one before. */
  #scaleExponent = 2 ** 20; // of no block
  #lastScale = 0;

  /** @param dimensions 1 to 4. */
  constructor(type: ZfpType, dimensions: number) {
    this.blockSize = 4 ** dimensions;
    this.#places = COEFFICIENT_PLACES[dimensions - 1];
    this.#isWide = type === 'int64' || type === 'float64';
    this.#isFloat = type === 'float32' || type === 'float64';
    this.#bias = this.#isWide ? 1023 : 127;
    this.words = new Uint32Array(this.blockSize * (this.#isWide ? 2 : 1));
    this.#integers = new Int32Array(this.words.buffer);
    this.#floats = new Float32Array(this.words.buffer);
    this.#doubles = new Float64Array(this.#isWide ? this.words.buffer : new ArrayBuffer(0));
    this.#ownPlace = {
      values: this.#isWide ? this.#doubles : this.#isFloat ? this.#floats : this.#integers,
      at: 0,
      stride: 1,
      rowStride: 4,
    };
    this.#low = new Int32Array(this.blockSize);
    this.#high = new Int32Array(this.#isWide ? this.blockSize : 0);
  }

  /**
   * Prepares to read blocks of a stream of the reader's type and dimensions.
   *
   * @param first The first block that will be read; the next one, unless {@link isFixedRate}: then it is 0.
   * @param last The last block that will be read.
   * @throws DecodeError TOO_LARGE (256 MB).
   */
  open(bytes: Uint8Array, header: ZfpHeader, first: number, last: number): void {
    if (bytes.length > MAX_STREAM_BYTES)
      throw new DecodeError('TOO_LARGE', `zfp: a stream of ${bytes.length} bytes; the limit is 256 MB`);
    this.#header = header;
    const { firstBit, maxBits } = header,
      end = 8 * bytes.length;
    const from = isFixedRate(header) ? Math.min(firstBit + first * maxBits, end) : firstBit,
      to = isFixedRate(header) ? Math.min(firstBit + (last + 1) * maxBits, end) : end;
    const fromByte = from >>> 3,
      toByte = (to + 7) >>> 3,
      length = ((toByte - fromByte + 3) >>> 2) + READ_AHEAD_WORDS;
    // What is left of an earlier stream lies after the end, where nothing that is read counts.
    if (this.#stream.length < length) this.#stream = new Int32Array(length);
    new Uint8Array(this.#stream.buffer).set(bytes.subarray(fromByte, toByte));
    this.#origin = 8 * fromByte;
    this.#position = from - 8 * fromByte;
    this.#end = to - 8 * fromByte;
  }

  /** Moves to a block, at a fixed rate. */
  seek(block: number): void {
    this.#position = Math.min(this.#header.firstBit + block * this.#header.maxBits - this.#origin, this.#end);
  }

  /**
   * Decodes the next block to `words`, or to `place` where that takes less time.
   *
   * @returns Whether it is in `place`.
   * @throws DecodeError TRUNCATED if it ends after the stream.
   */
  decode(place?: BlockPlace): boolean {
    const precision = this.#isWide ? 64 : 32,
      size = this.blockSize,
      planes = this.#planes;
    const coded = this.#readBlockHeader(this.#position);
    if (this.#content === ZEROS) {
      this.#advance(coded);
      this.words.fill(0);
      return false;
    }
    const end = (size < 64 ? readNarrowPlanes : readPlanes)(
      this.#stream,
      coded,
      this.#budgetEnd(coded),
      size,
      planes,
      precision,
      Math.max(0, precision - this.#planeCount),
    );
    this.#advance(end);
    if (this.#content === SCALED && this.#header.isLossless && this.#exponent === -this.#bias) {
      this.words.fill(0); // as in zfp: 0, and not -0 for negative integers
      return false;
    }
    const { isLossless } = this.#header,
      lowest = planes[LOWEST_PLANE];
    if (size === 16 && !isLossless && planes[HIGHEST_PLANE] < lowest + PLANES_OF_SIXTEEN) {
      if (this.#isWide && this.#content === SCALED && lowest >= LOWEST_OF_HIGH_WORDS) {
        const { values, at, stride, rowStride } = place ?? this.#ownPlace,
          scale = this.#scale(64, -1074) * 2 ** 32;
        decodeSixteen(planes, lowest, lowest - 32, scale, false, values, at, stride, rowStride);
        return place !== undefined;
      }
      if (!this.#isWide) {
        const { values, at, stride, rowStride } = place ?? this.#ownPlace,
          scale = this.#isFloat ? this.#scale(32, -149) : 1;
        decodeSixteen(planes, lowest, lowest, scale, this.#isFloat, values, at, stride, rowStride);
        return place !== undefined;
      }
    }
    if (!this.#isWide) {
      collectCoefficients(planes, 0, lowest, this.#places, this.#low);
      (isLossless ? inverseLosslessTransform : inverseTransform)(this.#low, size);
      this.#write();
    } else if (lowest >= 32 + (isLossless ? 0 : 2 * this.#header.sizes.length)) {
      // The low words are 0 and stay so, because each dimension shifts by two bits at most.
      collectCoefficients(planes, 32, lowest, this.#places, this.#high);
      (isLossless ? inverseLosslessTransform : inverseTransform)(this.#high, size);
      if (this.#content === SCALED) this.#writeHigh();
      else {
        this.#low.fill(0);
        this.#writeWide();
      }
    } else {
      collectWideCoefficients(planes, lowest, this.#places, this.#low, this.#high);
      (isLossless ? inverseLosslessWideTransform : inverseWideTransform)(this.#low, this.#high, size);
      this.#writeWide();
    }
    return false;
  }

  /** Moves over the next block. @throws DecodeError TRUNCATED if it ends after the stream. */
  skip(): void {
    const coded = this.#readBlockHeader(this.#position);
    this.#advance(
      this.#content === ZEROS
        ? coded
        : skipPlanes(
            this.#stream,
            coded,
            this.#budgetEnd(coded),
            this.blockSize,
            Math.min(this.#planeCount, this.#isWide ? 64 : 32),
          ),
    );
  }

  #advance(end: number): void {
    end = Math.max(end, this.#position + this.#header.minBits);
    if (end > this.#end) throw new DecodeError('TRUNCATED', 'zfp: a block ends after the end of its stream');
    this.#position = end;
  }

  /** Returns where the bit planes must end. As in zfp, a limit below the block's header is no limit. */
  #budgetEnd(coded: number): number {
    const left = this.#header.maxBits - (coded - this.#position);
    return coded + (left < 0 || left > MAX_CODED_BITS ? MAX_CODED_BITS : left);
  }

  /** Reads what comes before the bit planes, and returns where they start. */
  #readBlockHeader(position: number): number {
    const { isLossless, maxPlanes, minExponent, sizes } = this.#header,
      exponentBits = this.#isWide ? 11 : 8;
    this.#content = INTEGERS;
    this.#planeCount = maxPlanes;
    const at = position >>> 5,
      shift = position & 31,
      bits = (this.#stream[at] >>> shift) | ((this.#stream[at + 1] << 1) << (31 - shift));
    let used = 0;
    if (this.#isFloat) {
      if ((bits & 1) === 0) {
        this.#content = ZEROS;
        return position + 1;
      }
      used = isLossless ? 2 : 1;
      if (isLossless && (bits & 2) !== 0) this.#content = SIGN_MAGNITUDE;
      else {
        this.#content = SCALED;
        this.#exponent = ((bits >>> used) & ((1 << exponentBits) - 1)) - this.#bias;
        this.#planeCount = Math.min(
          maxPlanes,
          Math.max(0, this.#exponent - minExponent + 2 * sizes.length + 2),
        );
        used += exponentBits;
      }
    }
    if (!isLossless) return position + used;
    const countBits = this.#isWide ? 6 : 5;
    this.#planeCount = 1 + ((bits >>> used) & ((1 << countBits) - 1));
    return position + used + countBits;
  }

  /** Writes the values of a block of 32-bit integers. */
  #write(): void {
    const size = this.blockSize,
      integers = this.#low;
    if (this.#content === SCALED) {
      const floats = this.#floats,
        scale = this.#scale(32, -149);
      // Rounded twice, as in zfp: to a float, then its product.
      for (let i = 0; i < size; i++) floats[i] = scale * Math.fround(integers[i]);
      return;
    }
    const out = this.#integers,
      signMask = this.#content === SIGN_MAGNITUDE ? 0x7fffffff : 0;
    // x >> 31 is -1 for negative numbers, else 0.
    for (let i = 0; i < size; i++) out[i] = integers[i] ^ ((integers[i] >> 31) & signMask);
  }

  /** Writes the values of a scaled block of 64-bit integers whose low words are 0. */
  #writeHigh(): void {
    const size = this.blockSize,
      high = this.#high,
      doubles = this.#doubles,
      scale = this.#scale(64, -1074);
    for (let i = 0; i < size; i++) doubles[i] = scale * (high[i] * 2 ** 32);
  }

  /** Writes the values of a block of 64-bit integers. */
  #writeWide(): void {
    const size = this.blockSize,
      low = this.#low,
      high = this.#high;
    if (this.#content === SCALED) {
      const doubles = this.#doubles,
        scale = this.#scale(64, -1074);
      // Both words are exact as float64, so their sum is rounded once, as in zfp.
      for (let i = 0; i < size; i++) doubles[i] = scale * (high[i] * 2 ** 32 + (low[i] >>> 0));
      return;
    }
    const out = this.#integers,
      isSignMagnitude = this.#content === SIGN_MAGNITUDE;
    for (let i = 0; i < size; i++) {
      const flip = isSignMagnitude ? high[i] >> 31 : 0;
      out[2 * i] = low[i] ^ flip;
      out[2 * i + 1] = high[i] ^ (flip & 0x7fffffff);
    }
  }

  /**
   * Returns the value of 1 in a scaled block of this precision. Below the smallest power of two of the type
   * it is 0, as in zfp.
   */
  #scale(precision: number, smallest: number): number {
    if (this.#exponent !== this.#scaleExponent) {
      const power = this.#exponent - (precision - 2);
      this.#scaleExponent = this.#exponent;
      this.#lastScale = power < smallest ? 0 : powerOfTwo(power);
    }
    return this.#lastScale;
  }
}

const powerBits = new Int32Array(2),
  powerValue = new Float64Array(powerBits.buffer);

/** Returns 2 to a whole number from -1074 to 1023, exactly; `**` does not promise that. */
function powerOfTwo(power: number): number {
  const fraction = power + 1074; // the bit of a subnormal number
  powerBits[0] = power < -1022 && fraction < 32 ? 1 << fraction : 0;
  powerBits[1] = power >= -1022 ? (power + 1023) << 20 : fraction < 32 ? 0 : 1 << (fraction - 32);
  return powerValue[0];
}
