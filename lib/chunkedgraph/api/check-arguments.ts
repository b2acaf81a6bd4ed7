/** What callers hand in, checked before anything is asked. */
import type { ValueKind } from '../../base/value-kinds.ts';
import type { OptionTable } from '../../base/option-table.ts';
import { isBigUint64Array, isTypedArray, borrowOrCopy } from '../../base/typed-array.ts';
import type { Vec3 } from '../../base/vec3.ts';

/** One ID or many. */
export type Ids = BigUint64Array | readonly bigint[];

/** A box, half-open: `min` inside, `max` outside. */
export interface Bounds {
  min: readonly number[];
  max: readonly number[];
  /** Nanometres per unit of `min` and `max`. @default voxels of the graph's mip */
  resolution?: readonly number[];
}

/** Where a box is laid out and asked. */
export interface GraphGrid {
  /** Voxels of the graph's mip that the volume covers, half-open. */
  bounds: { min: Vec3; max: Vec3 };
  /** Nanometres per voxel of the graph's mip. */
  resolution: Vec3;
}

const isUint64 = (value: unknown): value is bigint =>
  typeof value === 'bigint' && value >= 0n && value < 1n << 64n;

/** @throws TypeError unless it is a bigint; RangeError unless that is a uint64. */
export function checkId(value: unknown, what = 'the ID'): bigint {
  if (isUint64(value)) return value;
  if (typeof value !== 'bigint')
    throw new TypeError(
      `${what} is a ${typeof value}${typeof value === 'number' ? ', which cannot hold 64 bits' : ''}; use a bigint`,
    );
  throw new RangeError(`${what}, ${value}, is no uint64`);
}

/**
 * IDs that no caller changes any more: a list is read, an array copied.
 * @param borrow The array itself: the caller does not write to it.
 * @throws TypeError, RangeError naming the index.
 */
export function copyIds(
  ids: Ids,
  { borrow = false, what = 'ID' }: { borrow?: boolean; what?: string } = {},
): BigUint64Array {
  if (isBigUint64Array(ids)) return borrowOrCopy(ids, borrow, `the ${what}s`);
  if (!Array.isArray(ids)) throw new TypeError(`${what}s are a BigUint64Array or a list of bigints`);
  const list = ids as readonly unknown[],
    own = new BigUint64Array(list.length);
  for (let index = 0; index < own.length; index++) {
    const id = list[index];
    own[index] = isUint64(id) ? id : checkId(id, `the ${what} at index ${index}`);
  }
  return own;
}

/** IDs that were taken already: an array is given back as it is. @throws as {@link copyIds}. */
export const checkIds = (ids: Ids): BigUint64Array => copyIds(ids, { borrow: true });

/** Each ID once, ascending. */
export const sortDistinct = (ids: BigUint64Array): BigUint64Array => {
  const sorted = ids.slice().sort();
  return sorted.filter((id, k) => k === 0 || id !== sorted[k - 1]);
};

/** @throws TypeError unless it is a list of numbers; RangeError unless they are three, and finite. */
export function checkTriple(value: unknown, what: string): Vec3 {
  const isList = Array.isArray(value) || isTypedArray(value),
    list = isList ? Array.from(value as ArrayLike<unknown>) : [];
  if (!isList || !list.every((part) => typeof part === 'number'))
    throw new TypeError(`${what} is three numbers along x, y, z`);
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

export const BOUNDS_OPTIONS = {
  min: { kind: TRIPLE, required: true, says: 'where the box begins' },
  max: { kind: TRIPLE, required: true, says: 'where it ends; this is outside' },
  resolution: {
    kind: POSITIVE_TRIPLE,
    default: "voxels of the graph's mip",
    flag: '--resolution <x,y,z>',
    says: 'nanometres per unit of `min` and `max`',
    flagSays: 'nanometres per unit of --bounds',
  },
} as const satisfies OptionTable<Bounds>;

/** @throws RangeError unless it is a whole number from 1 up. */
export function checkOperationId(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new RangeError(`an operation ID is a whole number from 1 up, not ${String(value)}`);
  return value as number;
}

/** @throws RangeError unless it is undefined or a whole number from `least` to the root layer. */
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

/** One ID or many, as a list. */
export const toIdList = (ids: bigint | Ids): BigUint64Array =>
  typeof ids === 'bigint' ? BigUint64Array.of(checkId(ids)) : checkIds(ids);
