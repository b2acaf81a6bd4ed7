/**
 * Converts coordinates of one unit to voxels of another. The result is exact for decimal numbers as they are
 * written: 3.3 counts as 33/10, not as the nearest double. Doubles are used wherever their rounding cannot
 * matter; coordinates near a border between voxels are computed in whole numbers.
 */
import type { Vec3 } from './vec3.ts';

/** The number `digits` × 10^`exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

/**
 * Returns the shortest decimal number that parses to this double. Up to 15 digits, this is the number as it
 * was written.
 */
export function toDecimal(finite: number): Decimal {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
    String(finite),
  )!;
  return { digits: BigInt(sign + whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** Returns 10 to the power `exponent`, which must be 0 or more. */
export const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** Returns the greatest common divisor of two numbers. */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** Products and quotients of whole numbers up to this size never round to another whole number. */
const EXACT = 2 ** 51;
/**
 * A bound of the relative error of a product and a quotient of rounded decimals: five roundings of 2^-53,
 * with some margin.
 */
const ROUNDING = 2 ** -50;
/** Decimals of at most 15 digits, 6 of them after the point, are recognized without making text. */
const MILLIONTHS = 1e6,
  MAX_MILLIONTHS = 1e15;

/** The ratio of two units, as an exact fraction. */
export class UnitRatio {
  readonly #numerator: bigint;
  readonly #denominator: bigint;
  /** The same fraction as doubles. */
  readonly #from: number;
  readonly #to: number;
  /**
   * The largest whole coordinate, and the largest whole number of millionths, whose product with the
   * numerator is exact.
   */
  readonly #wholeUpTo: number;
  readonly #millionthsUpTo: number;

  /**
   * @param from Nanometres per unit of the coordinates; positive.
   * @param to Nanometres per voxel; positive.
   */
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
    const largest = this.#from <= EXACT ? Math.floor(EXACT / this.#from) : -1;
    this.#wholeUpTo = this.#to <= EXACT ? largest : -1;
    this.#millionthsUpTo = this.#to * MILLIONTHS <= EXACT ? Math.min(largest, MAX_MILLIONTHS) : -1;
  }

  /**
   * Converts every third coordinate from `first` to before `end` in place. The floor of a result is the
   * voxel; its fraction has no meaning. Finite coordinates stay finite, and others stay as they are.
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

  /**
   * Converts every third coordinate from `first` to before `end` in place, and keeps its fraction: the
   * relative error is below 2^-50. A coordinate that is a multiple of half a voxel, by its decimals, becomes
   * exactly that. Finite coordinates stay finite, and others stay as they are.
   */
  convertPlaces(coordinates: Float64Array, first: number, end: number): void {
    const from = this.#from,
      to = this.#to;
    for (let at = first; at < end; at += 3) {
      const p = coordinates[at],
        halves = (2 * p * from) / to;
      coordinates[at] =
        Math.abs(halves - Math.round(halves)) > Math.abs(halves) * ROUNDING
          ? halves / 2
          : this.#placeNearHalf(p, halves / 2);
    }
  }

  /** Returns the place of a coordinate that is close to a multiple of half a voxel. */
  #placeNearHalf(p: number, rounded: number): number {
    if (!Number.isFinite(p)) return p;
    const millionths = Math.round(p * MILLIONTHS);
    if (Math.abs(millionths) <= this.#millionthsUpTo && millionths / MILLIONTHS === p)
      return (millionths * this.#from) / (this.#to * MILLIONTHS);
    const { digits, exponent } = toDecimal(p);
    const numerator = 2n * digits * this.#numerator * powerOfTen(Math.max(exponent, 0)),
      denominator = this.#denominator * powerOfTen(Math.max(-exponent, 0));
    const place = numerator % denominator === 0n ? Number(numerator / denominator) / 2 : rounded;
    return Math.max(-Number.MAX_VALUE, Math.min(place, Number.MAX_VALUE));
  }

  /** Returns the voxel that holds a coordinate. */
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

  /** Returns the first voxel that begins at or after a coordinate. */
  ceil(p: number): number {
    return -this.floor(-p);
  }
}

/**
 * Returns the ratios of the axes along which units differ. An axis with equal units needs no conversion, and
 * so gets no rounding error.
 *
 * @param from Nanometres per unit, xyz; positive.
 * @param to Nanometres per voxel, xyz; positive.
 */
export const ratiosOfOtherUnits = (from: Vec3, to: Vec3): { axis: number; ratio: UnitRatio }[] =>
  [0, 1, 2]
    .filter((axis) => from[axis] !== to[axis])
    .map((axis) => ({ axis, ratio: new UnitRatio(from[axis], to[axis]) }));
