/** Copies of typed arrays, whoever made them: subclasses, other realms, shared and resizable memory. */

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

export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !isDataView(value);

/** By its tag: `instanceof` does not know the arrays of another realm. */
export const isBigUint64Array = (value: unknown): value is BigUint64Array =>
  tagOf(value) === 'BigUint64Array';

const isDataView = (value: ArrayBufferView): boolean => tagOf(value) === undefined;

const ANY_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** The name of a typed array's type; undefined for anything else. */
const tagOf = (value: unknown): string | undefined =>
  Reflect.get(ANY_ARRAY, Symbol.toStringTag, value) as string | undefined;

/**
 * The same values in memory of their own. Not `slice()`: that of a Buffer is a view of its memory.
 * @param what Names the array in errors.
 * @throws TypeError when its buffer was detached, or has shrunk so that the array is no longer within it.
 */
export function copyTypedArray<T extends TypedArray>(array: T, what: string): T {
  const Type = (globalThis as unknown as Record<string, new (values: T) => T>)[tagOf(array)!];
  try {
    return new Type(array);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // no memory
    throw new TypeError(
      `${what}: the memory of the array is gone: its buffer was transferred, or made smaller`,
    );
  }
}

/** The array itself, or with `borrow: false` a copy of it. @throws as {@link copyTypedArray}. */
export function borrowOrCopy<T extends TypedArray>(array: T, borrow: boolean, what: string): T {
  // A detached array looks like an empty one.
  return borrow && array.length > 0 ? array : copyTypedArray(array, what);
}
