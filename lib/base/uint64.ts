/**
 * uint64 values without BigInt: a BigUint64Array seen as pairs of uint32, low word first. Inner loops use
 * these pairs, because each `bigint` is an allocation. A `bigint` is made only where a caller gets a single
 * value.
 */

/** Returns the same memory as pairs of uint32, low word first. A view, not a copy. */
export const wordsOf = (ids: BigUint64Array): Uint32Array =>
  new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);

/** Returns the same memory as bytes, little-endian. A view, not a copy. */
export const bytesOf = (ids: BigUint64Array): Uint8Array =>
  new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

/**
 * Copies little-endian bytes, at any alignment, into a new BigUint64Array.
 * @throws RangeError if the length is not a multiple of 8.
 */
export function idsFromBytes(bytes: Uint8Array): BigUint64Array {
  if (bytes.byteLength % 8 !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are not a whole number of uint64`);
  // `slice()` would not do: for a Buffer it returns a view of Node's memory pool.
  return new BigUint64Array(new Uint8Array(bytes).buffer);
}
