/** Decodes columns of NumPy items. The items of a column may be far apart, as in records. */
import type { ColumnType, ColumnValues, IdType, NumberArray, Validity } from '../columnar/column.ts';
import { packBits } from '../columnar/column.ts';
import { widenHalfFloats } from '../half-floats.ts';
import type { ItemType } from './dtype.ts';

/** Where the items of a column are: item i begins at `offset + i * stride`. */
export interface ItemPlaces {
  bytes: Uint8Array;
  offset: number;
  stride: number;
}

/** Returns what a column of items can be used as. */
export function columnTypeOfItems({ kind, size, shape }: ItemType): ColumnType {
  const own: ColumnType =
    kind === 'i' || kind === 'u'
      ? { kind: 'number', isInteger: true }
      : kind === 'f' && size <= 8
        ? { kind: 'number', isInteger: false }
        : kind === 'b' || kind === 'S' || kind === 'U' || kind === 'M'
          ? { kind: 'text' }
          : { kind: 'other' };
  if (shape.length === 0) return own;
  return shape.length === 1 && shape[0] > 0 && own.kind !== 'other'
    ? { kind: 'list', item: own }
    : { kind: 'other' };
}

/** Returns the type of IDs that a column of items holds, if its type is one of them. */
export function idTypeOfItems({ kind, size, shape }: ItemType): IdType | undefined {
  if (shape.length > 0) return undefined;
  if (size === 8 && (kind === 'u' || kind === 'i')) return kind === 'u' ? 'uint64' : 'int64';
  return kind === 'U' || kind === 'S' ? 'string' : undefined;
}

/** Spells a type of items in messages. */
export const spellItems = ({ spelling, shape }: ItemType): string =>
  shape.length === 0 ? spelling : `${spelling} of shape (${shape.join(', ')})`;

/** Decodes `rows` items of a column. They may be views of the bytes. */
export function decodeItems(type: ItemType, places: ItemPlaces, rows: number): ColumnValues {
  if (type.shape.length === 0) return decodePlain(type, places, rows);
  const [size] = type.shape;
  const values = decodePlain(type, gather(places, rows, size * type.size, type.size), rows * size);
  return { kind: 'fixed-list', size, values };
}

function decodePlain(type: ItemType, places: ItemPlaces, rows: number): ColumnValues {
  if (type.kind === 'S' || type.kind === 'U') return decodeTexts(type, places, rows);
  const items = swapped(type, gather(places, rows, type.size, type.size), rows * type.size);
  if (type.kind === 'b')
    return { kind: 'text', length: rows, textAt: (i) => (items[i] === 0 ? 'false' : 'true') };
  if (type.kind === 'M') return decodeTimes(type, new BigInt64Array(items.buffer, items.byteOffset, rows));
  if (type.kind === 'f' && type.size === 2)
    return { kind: 'number', values: widenHalfFloats(new Uint16Array(items.buffer, items.byteOffset, rows)) };
  const Numbers = NUMBERS[`${type.kind}${type.size}`];
  return { kind: 'number', values: new Numbers(items.buffer, items.byteOffset, rows) };
}

type NumberArrayType = new (buffer: ArrayBufferLike, offset: number, length: number) => NumberArray;
const NUMBERS: Readonly<Record<string, NumberArrayType>> = {
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  f4: Float32Array,
  f8: Float64Array,
};

/**
 * Brings items together, at an address that is a multiple of 8.
 *
 * @param bytes The bytes of each item that are taken.
 * @param stride The stride of the result, for the items of lists.
 */
function gather(
  { bytes: from, offset, stride }: ItemPlaces,
  rows: number,
  bytes: number,
  stride2: number,
): ItemPlaces {
  const isTogether = stride === bytes && (from.byteOffset + offset) % 8 === 0;
  if (isTogether) return { bytes: from.subarray(offset, offset + rows * bytes), offset: 0, stride: stride2 };
  const items = new Uint8Array(rows * bytes);
  if (stride === bytes) items.set(from.subarray(offset, offset + rows * bytes));
  else if (bytes === 8) copyWords(from, offset, stride, items, rows, 8);
  else if (bytes === 4) copyWords(from, offset, stride, items, rows, 4);
  else
    for (let i = 0, to = 0, at = offset; i < rows; i++, at += stride)
      for (let k = 0; k < bytes; k++) items[to++] = from[at + k];
  return { bytes: items, offset: 0, stride: stride2 };
}

function copyWords(
  from: Uint8Array,
  offset: number,
  stride: number,
  items: Uint8Array,
  rows: number,
  bytes: 4 | 8,
): void {
  const source = new DataView(from.buffer, from.byteOffset, from.byteLength),
    words = new Uint32Array(items.buffer);
  if (bytes === 4)
    for (let i = 0, at = offset; i < rows; i++, at += stride) words[i] = source.getUint32(at, true);
  else
    for (let i = 0, at = offset; i < rows; i++, at += stride) {
      words[2 * i] = source.getUint32(at, true);
      words[2 * i + 1] = source.getUint32(at + 4, true);
    }
}

/** Returns items as little-endian bytes. */
function swapped({ isBigEndian, size }: ItemType, { bytes, offset }: ItemPlaces, length: number): Uint8Array {
  const items = bytes.subarray(offset, offset + length);
  if (!isBigEndian || size < 2) return items;
  const turned = Buffer.from(new Uint8Array(items).buffer);
  if (size === 2) turned.swap16();
  else if (size === 4) turned.swap32();
  else turned.swap64();
  return turned;
}

/** The texts of NumPy end with their last character that is not zero. */
function decodeTexts(
  { kind, size, isBigEndian }: ItemType,
  { bytes, offset, stride }: ItemPlaces,
  rows: number,
): ColumnValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textAt = (i: number): string => {
    const start = offset + i * stride;
    let end = start + size;
    if (kind === 'S') {
      while (end > start && bytes[end - 1] === 0) end--;
      return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
    }
    let text = '';
    for (let at = start; at < end; at += 4) {
      const point = view.getUint32(at, !isBigEndian);
      text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
    }
    return text.replace(/\0+$/, '');
  };
  return { kind: 'text', length: rows, textAt };
}

/** The seconds, or parts of a second, of each unit of times. */
const UNIT_MS: Readonly<Record<string, number>> = {
  W: 604_800_000,
  D: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};
const UNIT_PARTS: Readonly<Record<string, bigint>> = { us: 1000n, ns: 1_000_000n, ps: 1_000_000_000n };
/** The time that means that there is none. */
const NOT_A_TIME = -(2n ** 63n);

function decodeTimes({ unit = '' }: ItemType, times: BigInt64Array): ColumnValues {
  const [, digits, name] = /^(\d*)(\w*)$/.exec(unit) ?? ['', '', ''],
    steps = BigInt(digits || '1');
  const msOf = (time: bigint): number =>
    name in UNIT_PARTS
      ? Number((time * steps) / UNIT_PARTS[name])
      : Number(time * steps) * (UNIT_MS[name] ?? NaN);
  const textAt = (i: number): string => {
    const date = new Date(msOf(times[i]));
    return Number.isNaN(date.getTime()) ? `${times[i]} ${unit}` : date.toISOString();
  };
  let validity: Validity | undefined;
  if (times.includes(NOT_A_TIME))
    validity = { bits: packBits(Uint8Array.from(times, (time) => (time === NOT_A_TIME ? 0 : 1))), offset: 0 };
  return { kind: 'text', length: times.length, textAt, validity };
}
