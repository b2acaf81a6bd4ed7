/**
 * Data types of the Precomputed format. Source: Neuroglancer, src/datasource/precomputed/volume.md,
 * `data_type`.
 */

/** The typed array of each data type. */
export const DATA_TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** The data type of a volume's values, as `info` spells it: `uint64`, `float32`, … */
export type DataType = keyof typeof DATA_TYPES;

/** A typed array of values of any data type. */
export type ValueArray = InstanceType<(typeof DATA_TYPES)[DataType]>;

/** Returns the bytes that a value takes. */
export const bytesPerValue = (dataType: DataType): number => DATA_TYPES[dataType].BYTES_PER_ELEMENT;

/**
 * The array that decoders write to: one word per value for types of 1, 2 and 4 bytes, two uint32 (low word
 * first) for types of 8 bytes.
 */
export type WordArray = Uint8Array | Uint16Array | Uint32Array;

/** Returns the words that a value takes in a {@link WordArray}: 2 for 64-bit types, else 1. */
export const wordsPerValue = (dataType: DataType): 1 | 2 => (bytesPerValue(dataType) === 8 ? 2 : 1);

/** Returns the memory of `values` as a {@link WordArray} of the same width. A view, not a copy. */
export function wordsView(values: ValueArray): WordArray {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = values;
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
