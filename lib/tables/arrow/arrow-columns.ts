/**
 * Decodes columns of a record batch. Every length, offset and index is checked before use.
 * Source: "Arrow Columnar Format", section "Physical Memory Layout".
 */
import { type ColumnValues, isPresent, type NumberArray, type Validity } from '../columnar/column.ts';
import { widenHalfFloats } from '../half-floats.ts';
import { type ArrowType, isRead } from './arrow-types.ts';
import { brokenArrow } from './flat-table.ts';
import type { ColumnNode, RecordBatch } from './record-batch.ts';
import { readArrowTexts } from './arrow-texts.ts';

/** Returns the values of the dictionary with an ID. @throws TableError BAD_FORMAT. */
export type DictionaryOf = (id: bigint) => { values: ColumnValues; length: number };

/** Decodes a column. @throws TableError BAD_FORMAT. */
export async function decodeArrowColumn(
  batch: RecordBatch,
  node: ColumnNode,
  dictionaryOf: DictionaryOf,
): Promise<ColumnValues> {
  const { field, length, children } = node,
    type = field.dictionary?.index ?? field.type;
  const own = (k: number): Promise<Uint8Array> => batch.buffer(node.firstBuffer + k);
  if (type.name === 'null')
    return {
      kind: 'text',
      length,
      textAt: () => '',
      validity: { bits: new Uint8Array((length + 7) >> 3), offset: 0 },
    };
  const validity = await readValidity(batch, node);
  if (field.dictionary) {
    const dictionary = dictionaryOf(field.dictionary.id);
    const indices = toPlainNumbers(readIntegers(await own(1), type, length));
    for (let i = 0; i < length; i++)
      if (!(indices[i] >= 0 && indices[i] < dictionary.length) && (!validity || isPresent(validity, i)))
        throw brokenArrow(`column ${field.name} has an index outside its dictionary`);
    return { kind: 'dictionary', indices, values: dictionary.values, validity };
  }
  const child = (k: number): Promise<ColumnValues> => decodeArrowColumn(batch, children[k], dictionaryOf);
  switch (type.name) {
    case 'int':
      return { kind: 'number', values: readIntegers(await own(1), type, length), validity };
    case 'float':
      return { kind: 'number', values: readFloats(await own(1), type.bits, length), validity };
    case 'decimal': {
      const width = type.bits / 32;
      return {
        kind: 'decimal',
        words: arrayOf(Uint32Array, await own(1), length * width),
        width,
        scale: type.size,
        validity,
      };
    }
    case 'list':
    case 'large_list': {
      const offsets = toPlainNumbers(
        readIntegers(await own(1), offsetType(type.name === 'list'), length === 0 ? 0 : length + 1),
      );
      const lengths = new Float64Array(length);
      for (let i = 0; i < length; i++) lengths[i] = offsets[i + 1] - offsets[i];
      return readLists(offsets, lengths, await child(0));
    }
    case 'list_view':
    case 'large_list_view': {
      const int = offsetType(type.name === 'list_view');
      const starts = toPlainNumbers(readIntegers(await own(1), int, length)),
        lengths = toPlainNumbers(readIntegers(await own(2), int, length));
      return readLists(starts, lengths, await child(0));
    }
    case 'fixed_size_list':
      if (children[0].length < length * type.size)
        throw brokenArrow(`column ${field.name} lacks items of its lists`);
      return { kind: 'fixed-list', size: type.size, values: await child(0), validity };
    case 'struct': {
      if (children.some((part) => part.length < length))
        throw brokenArrow(`column ${field.name} lacks values of a part`);
      const fields = [];
      for (const [k, part] of children.entries())
        if (isRead(part.field)) fields.push({ name: part.field.name, values: await child(k) });
      return { kind: 'struct', fields, validity };
    }
    default: {
      const buffers = await Promise.all(Array.from({ length: node.buffers - 1 }, (_, k) => own(k + 1)));
      return { kind: 'text', length, textAt: readArrowTexts(type, length, buffers), validity };
    }
  }

  function readLists(starts: Float64Array, lengths: Float64Array, values: ColumnValues): ColumnValues {
    const end = children[0].length;
    for (let i = 0; i < length; i++) {
      if (starts[i] >= 0 && lengths[i] >= 0 && starts[i] + lengths[i] <= end) continue;
      if (!validity || isPresent(validity, i))
        throw brokenArrow(`column ${field.name} has a list outside its items`);
      starts[i] = lengths[i] = 0; // what lies below a null may be anything
    }
    return { kind: 'list', starts: starts.subarray(0, length), lengths, values, validity };
  }
}

async function readValidity(
  batch: RecordBatch,
  { field, length, nullCount, firstBuffer }: ColumnNode,
): Promise<Validity | undefined> {
  if (nullCount === 0 || length === 0) return undefined;
  const bits = await batch.buffer(firstBuffer);
  if (bits.length < Math.ceil(length / 8))
    throw brokenArrow(`column ${field.name} lacks the marks of its nulls`);
  return { bits, offset: 0 };
}

const offsetType = (isShort: boolean): Pick<ArrowType, 'bits' | 'isSigned'> => ({
  bits: isShort ? 32 : 64,
  isSigned: true,
});

const SIGNED = { 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array },
  UNSIGNED = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array };

function readIntegers(
  bytes: Uint8Array,
  { bits, isSigned }: Pick<ArrowType, 'bits' | 'isSigned'>,
  length: number,
): NumberArray {
  const Type = (isSigned ? SIGNED : UNSIGNED)[bits as 8] as ArrayType<NumberArray>;
  return arrayOf(Type, bytes, length);
}

function readFloats(bytes: Uint8Array, bits: number, length: number): NumberArray {
  if (bits === 16) return widenHalfFloats(arrayOf(Uint16Array, bytes, length));
  return bits === 32 ? arrayOf(Float32Array, bytes, length) : arrayOf(Float64Array, bytes, length);
}

interface ArrayType<A> {
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

/** Returns the first `length` items of a buffer. */
function arrayOf<A>(Type: ArrayType<A>, bytes: Uint8Array, length: number): A {
  if (bytes.byteLength < length * Type.BYTES_PER_ELEMENT)
    throw brokenArrow('a buffer is shorter than its column');
  return new Type(bytes.buffer, bytes.byteOffset, length);
}

/** Copies integers into doubles. Integers above 2^53 are too large for any offset or index anyway. */
function toPlainNumbers(values: NumberArray): Float64Array {
  if (!(values instanceof BigInt64Array || values instanceof BigUint64Array))
    return Float64Array.from(values);
  const numbers = new Float64Array(values.length),
    words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = words[2 * i + 1] * 2 ** 32 + words[2 * i];
  return numbers;
}
