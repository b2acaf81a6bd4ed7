/** Copies of typed arrays of any origin: subclasses, arrays of another realm, shared and resizable memory. */

/** Any typed array. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Tells whether a value is a typed array. A DataView is not one. */
export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !isDataView(value);

/**
 * Tells whether a value is a BigUint64Array, of this realm or another: `instanceof` knows only those of this
 * realm.
 */
export const isBigUint64Array = (value: unknown): value is BigUint64Array =>
  tagOf(value) === 'BigUint64Array';

/** Tells whether a typed array holds whole numbers, of this realm or another. */
export const holdsIntegers = (array: TypedArray): boolean => !tagOf(array)!.startsWith('Float');

const isDataView = (value: ArrayBufferView): boolean => tagOf(value) === undefined;

const ANY_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Returns the name of a typed array's type; undefined for anything else. */
const tagOf = (value: unknown): string | undefined =>
  Reflect.get(ANY_ARRAY, Symbol.toStringTag, value) as string | undefined;

/**
 * Copies an array into new memory. `slice()` would not do: for a Buffer it returns a view.
 * @param what Names the array in errors.
 * @throws TypeError if the array's buffer was detached, or has shrunk so that the array no longer lies within
 *   it.
 */
export function copyTypedArray<T extends TypedArray>(array: T, what: string): T {
  const Type = (globalThis as unknown as Record<string, new (values: T) => T>)[tagOf(array)!];
  try {
    return new Type(array);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // out of memory
    throw new TypeError(
      `${what}: the memory of the array is gone: its buffer was transferred, or made smaller`,
    );
  }
}

/**
 * Returns the array itself if `borrow` is true, else a copy of it.
 * @throws TypeError as {@link copyTypedArray} does.
 */
export function borrowOrCopy<T extends TypedArray>(array: T, borrow: boolean, what: string): T {
  // A detached array looks like an empty one, so an empty one is always copied: the copy fails if it is
  // detached.
  return borrow && array.length > 0 ? array : copyTypedArray(array, what);
}
