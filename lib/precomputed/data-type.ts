/** Data types of the Precomputed format. Source: Neuroglancer, src/datasource/precomputed/volume.md, `data_type`. */

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

export type DataType = keyof typeof DATA_TYPES;

/** A typed array of one of the volume types. */
export type ValueArray = InstanceType<(typeof DATA_TYPES)[DataType]>;

export const bytesPerValue = (dataType: DataType): number => DATA_TYPES[dataType].BYTES_PER_ELEMENT;

/** What decoders write: one word a value for 1, 2 and 4 byte types, two uint32 (low first) for 8 byte types. */
export type WordArray = Uint8Array | Uint16Array | Uint32Array;

/** uint32 words a value takes in a {@link WordArray}: 2 for 64-bit types, else 1. */
export const wordsPerValue = (dataType: DataType): 1 | 2 => (bytesPerValue(dataType) === 8 ? 2 : 1);

/** The memory of `values` as unsigned words of its width: what decoders write into. A view, not a copy. */
export function wordsView(values: ValueArray): WordArray {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = values;
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
