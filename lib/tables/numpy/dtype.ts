/**
 * The types of NumPy arrays.
 * Source: NumPy, "The array interface protocol", sections `typestr` and `descr`.
 */
import { TableError } from '../../base/errors.ts';
import { PythonTuple, type PythonValue } from './python-literal.ts';

/** What an item is: boolean, signed, unsigned, float, complex, bytes, text, raw bytes, time, duration. */
export type ItemKind = 'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'U' | 'V' | 'M' | 'm';

/** A type of items, or of items of one length. */
export interface ItemType {
  kind: ItemKind;
  /** The bytes of one item. */
  size: number;
  isBigEndian: boolean;
  /** The name of the type as NumPy spells it, such as `<f8`. */
  spelling: string;
  /** The unit of times, such as `ns` or `25s`. */
  unit?: string;
  /** The sizes of the axes of a field that is an array. */
  shape: readonly number[];
}

/** A field of a structured type. */
export interface ItemField {
  name: string;
  /** The first byte in an item of the array. */
  offset: number;
  /** All bytes of the field. */
  bytes: number;
  type: ItemType;
  /** The entry of the type that describes it, or the padding. */
  entry: PythonTuple;
}

/** The type of an array: items of one type, or records. */
export interface ArrayType {
  /** The bytes of one item. */
  bytes: number;
  item?: ItemType;
  /** The fields, with those that only fill space: their name is empty. */
  fields?: readonly ItemField[];
}

const MAX_FIELDS = 10_000;
const MAX_ITEM_BYTES = 2 ** 24;
const SIZES: Partial<Record<ItemKind, readonly number[]>> = {
  b: [1],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  M: [8],
  m: [8],
};

const unsupported = (what: string): TableError =>
  new TableError('BAD_FORMAT', `the NumPy array holds ${what}`);

/** Reads the type of an array, the value of `descr`. @throws TableError BAD_FORMAT. */
export function readArrayType(descr: PythonValue): ArrayType {
  if (typeof descr === 'string') {
    const item = readItemType(descr, []);
    return { item, bytes: item.size };
  }
  if (!Array.isArray(descr) || descr.length === 0 || descr.length > MAX_FIELDS)
    throw unsupported(`items of a type that is not known: ${JSON.stringify(descr).slice(0, 60)}`);
  let bytes = 0;
  const fields = (descr as PythonValue[]).map((entry): ItemField => {
    if (!(entry instanceof PythonTuple)) throw unsupported('a structured type that is broken');
    const [label, type, axes] = entry.items,
      // A field may have a title: (title, name).
      name = label instanceof PythonTuple ? label.items[1] : label;
    if (typeof name !== 'string') throw unsupported('a structured type without names');
    const shape = readShape(axes),
      own = readFieldType(type, shape);
    const field = { name, offset: bytes, bytes: own.size * count(shape), type: own, entry };
    bytes += field.bytes;
    if (bytes > MAX_ITEM_BYTES) throw unsupported(`records of more than ${MAX_ITEM_BYTES} bytes`);
    return field;
  });
  return { fields, bytes };
}

/** Reads the type of a field. A structured type in a structured type is taken as raw bytes. */
function readFieldType(type: PythonValue, shape: readonly number[]): ItemType {
  if (typeof type === 'string') return readItemType(type, shape);
  return {
    kind: 'V',
    size: readArrayType(type).bytes,
    isBigEndian: false,
    spelling: 'a structured type',
    shape,
  };
}

function readShape(axes: PythonValue | undefined): number[] {
  if (axes === undefined) return [];
  const sizes = axes instanceof PythonTuple ? axes.items : [axes];
  if (!sizes.every((size) => typeof size === 'number' && size >= 0))
    throw unsupported('a field with a broken shape');
  const shape = sizes as number[];
  if (count(shape) > MAX_ITEM_BYTES) throw unsupported('a field that is too large');
  return shape;
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function readItemType(spelling: string, shape: readonly number[]): ItemType {
  const match = /^([<>|=]?)([biufcSaUVOMm])(\d*)(?:\[([^\]]*)\])?$/.exec(spelling);
  if (!match)
    throw unsupported(`items of a type that is not known: ${JSON.stringify(spelling.slice(0, 60))}`);
  const [, order, letter, digits, unit] = match;
  if (letter === 'O')
    throw unsupported('Python objects: pickles are not read, because they can run any code');
  const kind = (letter === 'a' ? 'S' : letter) as ItemKind,
    size = Number(digits) * (kind === 'U' ? 4 : 1);
  if (!(SIZES[kind]?.includes(size) ?? size <= MAX_ITEM_BYTES))
    throw unsupported(`items of a type that is not known: ${JSON.stringify(spelling)}`);
  return { kind, size, isBigEndian: order === '>', spelling, unit, shape };
}
