/**
 * uint64 without BigInt: a BigUint64Array seen as pairs of uint32, low word first.
 * A `bigint` is made only where one value is handed to a person.
 */

/** The same memory as pairs of uint32, low word first. A view, not a copy. */
export const wordsOf = (ids: BigUint64Array): Uint32Array =>
  new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);

/** The same memory as bytes, little-endian. A view, not a copy. */
export const bytesOf = (ids: BigUint64Array): Uint8Array =>
  new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

/**
 * uint64 values from little-endian bytes at any alignment; always fresh memory.
 * @throws RangeError when the length is no multiple of 8.
 */
export function idsFromBytes(bytes: Uint8Array): BigUint64Array {
  if (bytes.byteLength % 8 !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are no whole number of uint64`);
  // not slice(): that of a Buffer is a view of its pool
  return new BigUint64Array(new Uint8Array(bytes).buffer);
}
