/**
 * Adds columns to the Arrow schema that a Parquet file may carry, so that readers still find the types that
 * Parquet lacks. The old message stays whole: a new head in front of it refers to the old fields and to the
 * new ones, because offsets in flatbuffers are relative and point forwards. Source: apache/arrow,
 * format/Schema.fbs and Message.fbs; google/flatbuffers, docs/source/internals.md.
 */
import type { AnswerType } from '../columnar/column.ts';

/** A column of answers of an Arrow schema. `replaces` is the index of the field whose place it takes. */
export interface AddedArrowField {
  name: string;
  type: AnswerType;
  replaces?: number;
}

const CONTINUATION = 0xffffffff;
const VERSION_V5 = 4,
  SCHEMA_HEADER = 1;

/** The union of types: its tag, and the scalars of its table. */
const TYPES: Readonly<
  Record<AnswerType, { tag: number; bits?: number; isSigned?: boolean; precision?: number }>
> = {
  int8: { tag: 2, bits: 8, isSigned: true },
  int16: { tag: 2, bits: 16, isSigned: true },
  int32: { tag: 2, bits: 32, isSigned: true },
  int64: { tag: 2, bits: 64, isSigned: true },
  uint8: { tag: 2, bits: 8 },
  uint16: { tag: 2, bits: 16 },
  uint32: { tag: 2, bits: 32 },
  uint64: { tag: 2, bits: 64 },
  float32: { tag: 3, precision: 1 },
  float64: { tag: 3, precision: 2 },
  string: { tag: 5 },
  boolean: { tag: 6 },
};

/**
 * Returns the value of `ARROW:schema` with more fields. Its custom metadata gets the value of `pandas`,
 * because readers take it from there.
 *
 * @param patchPandas Returns the new value of `pandas` for the old one.
 * @returns undefined if the old value is not a schema with `columns` fields. The file is then read without
 * it.
 */
export function patchArrowSchema(
  value: Uint8Array,
  columns: number,
  fields: readonly AddedArrowField[],
  patchPandas: (value: Uint8Array | undefined) => Uint8Array,
): Buffer | undefined {
  try {
    const bytes = Buffer.from(Buffer.from(value).toString('latin1'), 'base64');
    const start = bytes.readUInt32LE(0) === CONTINUATION ? 8 : 4;
    const old = bytes.subarray(start),
      schema = schemaIn(old);
    if (schema?.fields.length !== columns) return undefined;
    return Buffer.from(
      encapsulate(build(old, schema, fields, patchPandas(schema.pandas))).toString('base64'),
    );
  } catch (error) {
    if ((error as Error).name === 'RangeError') return undefined; // a reference leaves the bytes
    throw error;
  }
}

interface OldSchema {
  endianness: number;
  /** The positions of the tables of the fields. */
  fields: number[];
  /** The positions of the tables of the custom metadata, without `pandas`. */
  metadata: number[];
  pandas: Uint8Array | undefined;
  /** The position of the vector of features. */
  features: number | undefined;
}

/** Reads the place of a slot of a table; 0 if the table lacks it. */
function slot(bytes: Buffer, table: number, index: number): number {
  const vtable = table - bytes.readInt32LE(table),
    at = 4 + 2 * index;
  const offset = at < bytes.readUInt16LE(vtable) ? bytes.readUInt16LE(vtable + at) : 0;
  return offset === 0 ? 0 : table + offset;
}

const follow = (bytes: Buffer, at: number): number => at + bytes.readUInt32LE(at);

function schemaIn(bytes: Buffer): OldSchema | undefined {
  const message = follow(bytes, 0),
    type = slot(bytes, message, 1),
    header = slot(bytes, message, 2);
  if (type === 0 || bytes[type] !== SCHEMA_HEADER || header === 0) return undefined;
  const schema = follow(bytes, header),
    [endianness, fields, metadata, features] = [0, 1, 2, 3].map((index) => slot(bytes, schema, index));
  if (fields === 0) return undefined;
  const pairs = metadata === 0 ? [] : tablesOf(bytes, metadata),
    isPandas = (pair: number): boolean => stringOf(bytes, pair, 0).toString() === 'pandas';
  const pandas = pairs.find(isPandas);
  return {
    endianness: endianness === 0 ? 0 : bytes.readInt16LE(endianness),
    fields: tablesOf(bytes, fields),
    metadata: pairs.filter((pair) => !isPandas(pair)),
    pandas: pandas === undefined ? undefined : stringOf(bytes, pandas, 1),
    features: features === 0 ? undefined : follow(bytes, features),
  };
}

/** Returns the positions of the tables of a vector. */
function tablesOf(bytes: Buffer, at: number): number[] {
  const vector = follow(bytes, at),
    count = bytes.readUInt32LE(vector);
  if (count > bytes.length / 4) throw new RangeError('a vector is longer than the schema');
  return Array.from({ length: count }, (_, k) => follow(bytes, vector + 4 + 4 * k));
}

function stringOf(bytes: Buffer, table: number, index: number): Buffer {
  const at = slot(bytes, table, index);
  if (at === 0) return Buffer.alloc(0);
  const string = follow(bytes, at);
  return bytes.subarray(string + 4, string + 4 + bytes.readUInt32LE(string));
}

/** Writes tables one after the other. A reference is filled in when its target is written. */
class Head {
  readonly bytes: Buffer;
  #length = 0;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  get length(): number {
    return this.#length;
  }

  align(to: number): void {
    this.#length = Math.ceil(this.#length / to) * to;
  }

  take(size: number): number {
    const at = this.#length;
    this.#length += size;
    return at;
  }

  refer(from: number, to: number): void {
    this.bytes.writeUInt32LE(to - from, from);
  }

  /**
   * Writes a table of slots of 8 bytes, so that all are aligned; undefined for a slot that is absent.
   *
   * @returns The positions of the table and of its slots.
   */
  table(present: readonly boolean[]): { at: number; slots: number[] } {
    this.align(8);
    const size = 4 + 2 * present.length,
      vtable = this.take(size);
    this.align(8);
    const at = this.take(8);
    this.bytes.writeUInt16LE(size, vtable);
    this.bytes.writeInt32LE(at - vtable, at);
    const slots = present.map((isPresent, index) => {
      if (!isPresent) return 0;
      const own = this.take(8);
      this.bytes.writeUInt16LE(own - at, vtable + 4 + 2 * index);
      return own;
    });
    this.bytes.writeUInt16LE(this.#length - at, vtable + 2);
    return { at, slots };
  }

  vector(count: number): number {
    this.align(4);
    const at = this.take(4 + 4 * count);
    this.bytes.writeUInt32LE(count, at);
    return at;
  }

  string(text: string | Uint8Array): number {
    const own = Buffer.from(text as string);
    this.align(4);
    const at = this.take(4 + own.length + 1);
    this.bytes.writeUInt32LE(own.length, at);
    own.copy(this.bytes, at + 4);
    return at;
  }
}

function build(
  old: Buffer,
  { endianness, fields, metadata, features }: OldSchema,
  added: readonly AddedArrowField[],
  pandas: Uint8Array,
): Buffer {
  const names = added.reduce((sum, { name }) => sum + Buffer.byteLength(name), 0);
  const head = new Head(
    1024 + 8 * (fields.length + metadata.length) + 256 * added.length + names + pandas.length,
  );
  const waiting: { from: number; old: number }[] = [];
  const root = head.take(4);
  const message = head.table([true, true, true, true]); // version, header type, header, body length
  head.refer(root, message.at);
  head.bytes.writeInt16LE(VERSION_V5, message.slots[0]);
  head.bytes[message.slots[1]] = SCHEMA_HEADER;
  const schema = head.table([true, true, true, features !== undefined]);
  head.refer(message.slots[2], schema.at);
  head.bytes.writeInt16LE(endianness, schema.slots[0]);
  if (features !== undefined) waiting.push({ from: schema.slots[3], old: features });
  const vector = (slotAt: number, places: readonly (number | (() => number))[]): void => {
    const at = head.vector(places.length);
    head.refer(slotAt, at);
    places.forEach((place, k) => {
      const from = at + 4 + 4 * k;
      if (typeof place === 'number') waiting.push({ from, old: place });
      else head.refer(from, place());
    });
  };
  const places: (number | (() => number))[] = [...fields];
  for (const field of added) places[field.replaces ?? places.length] = () => writeField(head, field);
  vector(schema.slots[1], places);
  vector(schema.slots[2], [...metadata, () => writePair(head, 'pandas', pandas)]);
  head.align(8);
  const end = head.length;
  for (const { from, old: position } of waiting) head.refer(from, end + position);
  return Buffer.concat([head.bytes.subarray(0, end), old]);
}

function writePair(head: Head, key: string, value: Uint8Array): number {
  const pair = head.table([true, true]);
  head.refer(pair.slots[0], head.string(key));
  head.refer(pair.slots[1], head.string(value));
  return pair.at;
}

/** Writes a field: name, nullable, type and its tag, and no children. */
function writeField(head: Head, { name, type }: AddedArrowField): number {
  const { tag, bits, isSigned = false, precision } = TYPES[type];
  const field = head.table([true, true, true, true, false, true]);
  head.refer(field.slots[0], head.string(name));
  head.bytes[field.slots[1]] = 1;
  head.bytes[field.slots[2]] = tag;
  const own = head.table(bits !== undefined ? [true, true] : precision !== undefined ? [true] : []);
  head.refer(field.slots[3], own.at);
  if (bits !== undefined) {
    head.bytes.writeInt32LE(bits, own.slots[0]);
    head.bytes[own.slots[1]] = Number(isSigned);
  } else if (precision !== undefined) head.bytes.writeInt16LE(precision, own.slots[0]);
  head.refer(field.slots[5], head.vector(0));
  return field.at;
}

/** Puts the length in front of a message. */
function encapsulate(message: Buffer): Buffer {
  const length = Math.ceil(message.length / 8) * 8,
    head = Buffer.alloc(8);
  head.writeUInt32LE(CONTINUATION, 0);
  head.writeInt32LE(length, 4);
  return Buffer.concat([head, message, Buffer.alloc(length - message.length)]);
}
