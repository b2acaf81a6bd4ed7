/** Checks the arguments of calls before a request is sent. */
import type { ValueKind } from '../../base/value-kinds.ts';
import type { OptionTable } from '../../base/option-table.ts';
import { isBigUint64Array, isTypedArray, borrowOrCopy } from '../../base/typed-array.ts';
import type { Vec3 } from '../../base/vec3.ts';

/** A list of IDs. */
export type Ids = BigUint64Array | readonly bigint[];

/** A half-open box: `min` is inside, `max` is outside. */
export interface Bounds {
  /** The lower corner: x, y, z. */
  min: readonly number[];
  /** The upper corner: x, y, z. */
  max: readonly number[];
  /** Nanometres per unit of `min` and `max`, along x, y, z. @default voxels of the graph's mip */
  resolution?: readonly number[];
}

/** The voxel grid that boxes refer to. */
export interface GraphGrid {
  /** The half-open bounds of the volume, in voxels of the graph's mip. */
  bounds: { min: Vec3; max: Vec3 };
  /** Nanometres per voxel of the graph's mip. */
  resolution: Vec3;
}

const isUint64 = (value: unknown): value is bigint =>
  typeof value === 'bigint' && value >= 0n && value < 1n << 64n;

/** Checks an ID. @throws TypeError if it is not a bigint; RangeError if it is not a uint64. */
export function checkId(value: unknown, what = 'the ID'): bigint {
  if (isUint64(value)) return value;
  if (typeof value !== 'bigint')
    throw new TypeError(
      `${what} is a ${typeof value}${typeof value === 'number' ? ', which cannot hold 64 bits' : ''}; use a bigint`,
    );
  throw new RangeError(`${what}, ${value}, is not a uint64`);
}

/**
 * Copies IDs, so that the caller may change them afterwards.
 *
 * @param borrow If true, an array is returned itself: the caller does not write to it.
 * @throws TypeError or RangeError, which names the index.
 */
export function copyIds(
  ids: Ids,
  { borrow = false, what = 'ID' }: { borrow?: boolean; what?: string } = {},
): BigUint64Array {
  if (isBigUint64Array(ids)) return borrowOrCopy(ids, borrow, `the ${what}s`);
  if (!Array.isArray(ids)) throw new TypeError(`${what}s must be a BigUint64Array or a list of bigints`);
  const list = ids as readonly unknown[],
    own = new BigUint64Array(list.length);
  for (let index = 0; index < own.length; index++) {
    const id = list[index];
    own[index] = isUint64(id) ? id : checkId(id, `the ${what} at index ${index}`);
  }
  return own;
}

/** Checks IDs that were copied before. An array is returned itself. @throws The errors of {@link copyIds}. */
export const checkIds = (ids: Ids): BigUint64Array => copyIds(ids, { borrow: true });

/** Returns each ID once, in ascending order. */
export const sortDistinct = (ids: BigUint64Array): BigUint64Array => {
  const sorted = ids.slice().sort();
  return sorted.filter((id, k) => k === 0 || id !== sorted[k - 1]);
};

/**
 * Checks three coordinates. @throws TypeError if it is not a list of numbers; RangeError if they are not
 * three finite numbers.
 */
export function checkTriple(value: unknown, what: string): Vec3 {
  const isList = Array.isArray(value) || isTypedArray(value),
    list = isList ? Array.from(value as ArrayLike<unknown>) : [];
  if (!isList || !list.every((part) => typeof part === 'number'))
    throw new TypeError(`${what} must be three numbers along x, y, z`);
  if (list.length !== 3 || !list.every(Number.isFinite))
    throw new RangeError(`${what} must be three finite numbers along x, y, z`);
  return list as unknown as Vec3;
}

const TRIPLE: ValueKind = {
  expected: 'three finite numbers along x, y, z',
  check: (name, value) => void checkTriple(value, name),
};
const POSITIVE_TRIPLE: ValueKind = {
  expected: 'three positive numbers, nanometres along x, y, z',
  check: (name, value) => {
    if (checkTriple(value, name).some((nm) => nm <= 0)) throw new RangeError(`${name} must be positive`);
  },
};

/** The options of a box. */
export const BOUNDS_OPTIONS = {
  min: { kind: TRIPLE, required: true, says: 'lower corner of the box; it is inside' },
  max: { kind: TRIPLE, required: true, says: 'upper corner of the box; it is outside' },
  resolution: {
    kind: POSITIVE_TRIPLE,
    default: "voxels of the graph's mip",
    flag: '--resolution <x,y,z>',
    says: 'nanometres per unit of `min` and `max`',
    flagSays: 'nanometres per unit of --bounds',
  },
} as const satisfies OptionTable<Bounds>;

/** Checks an operation ID. @throws RangeError if it is not a whole number from 1. */
export function checkOperationId(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new RangeError(`an operation ID must be a whole number from 1, not ${String(value)}`);
  return value as number;
}

/**
 * Checks a stop layer. @throws RangeError if it is neither undefined nor a whole number from `least` to the
 * root layer.
 */
export function checkStopLayer(
  stopLayer: number | undefined,
  least: number,
  nLayers: number,
): number | undefined {
  if (stopLayer === undefined || (Number.isInteger(stopLayer) && stopLayer >= least && stopLayer <= nLayers))
    return stopLayer;
  throw new RangeError(
    `stopLayer must be a whole number from ${least} to ${nLayers}, the root layer, not ${stopLayer}`,
  );
}

/** Returns one ID or many IDs as a list. */
export const toIdList = (ids: bigint | Ids): BigUint64Array =>
  typeof ids === 'bigint' ? BigUint64Array.of(checkId(ids)) : checkIds(ids);
