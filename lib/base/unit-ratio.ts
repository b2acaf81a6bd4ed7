/**
 * Coordinates of one unit as voxels of another, exact for decimal numbers as they are written: 3.3 is 33/10, and not the double beside it.
 * Doubles decide wherever their rounding cannot matter; what is near a border between voxels is decided in whole numbers.
 */

/** `digits` × 10^`exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

/** The shortest decimal number that reads as this double: what was written, up to 15 digits. */
export function toDecimal(finite: number): Decimal {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
    String(finite),
  )!;
  return { digits: BigInt(sign + whole + fraction), exponent: Number(exponent) - fraction.length };
}

export const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** Whole numbers up to this size have products and quotients whose rounding reaches no other whole number. */
const EXACT = 2 ** 51;
/** A product and a quotient of doubles, of decimals that are half a step beside theirs: five roundings of 2^-53, and as much again. */
const ROUNDING = 2 ** -50;
/** Decimals of at most 15 digits, so many of them behind the point, are recognised without making text. */
const MILLIONTHS = 1e6,
  MOST_MILLIONTHS = 1e15;

export class UnitRatio {
  readonly #numerator: bigint;
  readonly #denominator: bigint;
  /** The same as doubles. */
  readonly #from: number;
  readonly #to: number;
  /** Whole coordinates, and whole numbers of millionths, up to this size: their product with the numerator is exact. */
  readonly #wholeUpTo: number;
  readonly #millionthsUpTo: number;

  /** @param from Nanometres per unit of the coordinates. @param to Nanometres a voxel. Both positive. */
  constructor(from: number, to: number) {
    const a = toDecimal(from),
      b = toDecimal(to),
      shift = a.exponent - b.exponent;
    const numerator = a.digits * powerOfTen(Math.max(shift, 0)),
      denominator = b.digits * powerOfTen(Math.max(-shift, 0));
    const divisor = greatestCommonDivisor(numerator, denominator);
    this.#numerator = numerator / divisor;
    this.#denominator = denominator / divisor;
    this.#from = Number(this.#numerator);
    this.#to = Number(this.#denominator);
    const most = this.#from <= EXACT ? Math.floor(EXACT / this.#from) : -1;
    this.#wholeUpTo = this.#to <= EXACT ? most : -1;
    this.#millionthsUpTo = this.#to * MILLIONTHS <= EXACT ? Math.min(most, MOST_MILLIONTHS) : -1;
  }

  /**
   * Turns coordinates into voxels, every third from `first` on: their floor is the voxel, whatever is behind the point. What is finite stays
   * so, and what is not stays as it is.
   */
  convert(coordinates: Float64Array, first: number, end: number): void {
    const from = this.#from,
      to = this.#to,
      wholeUpTo = this.#wholeUpTo;
    for (let at = first; at < end; at += 3) {
      const p = coordinates[at],
        q = (p * from) / to;
      const isExact = p === Math.floor(p) && p <= wholeUpTo && p >= -wholeUpTo;
      coordinates[at] = isExact || Math.abs(q - Math.round(q)) > Math.abs(q) * ROUNDING ? q : this.floor(p);
    }
  }

  /** The voxel that holds a coordinate. */
  floor(p: number): number {
    if (!Number.isFinite(p)) return p;
    const millionths = Math.round(p * MILLIONTHS);
    if (Math.abs(millionths) <= this.#millionthsUpTo && millionths / MILLIONTHS === p)
      return Math.floor((millionths * this.#from) / (this.#to * MILLIONTHS));
    const { digits, exponent } = Number.isSafeInteger(p) ? { digits: BigInt(p), exponent: 0 } : toDecimal(p);
    const numerator = digits * this.#numerator * powerOfTen(Math.max(exponent, 0)),
      denominator = this.#denominator * powerOfTen(Math.max(-exponent, 0));
    const voxel = Number(
      numerator / denominator - (numerator < 0n && numerator % denominator !== 0n ? 1n : 0n),
    );
    return Math.max(-Number.MAX_VALUE, Math.min(voxel, Number.MAX_VALUE));
  }

  /** The first voxel that begins at or after a coordinate. */
  ceil(p: number): number {
    return -this.floor(-p);
  }
}
