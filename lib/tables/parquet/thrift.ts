/**
 * Reads and writes structs of Thrift's compact protocol as trees, so that fields that are not known stay as
 * they are. Source: apache/thrift, doc/specs/thrift-compact-protocol.md.
 */
import { TableError } from '../../base/errors.ts';
import { ByteWriter } from '../text/byte-writer.ts';

/** The types of values. A boolean is TRUE or FALSE in a field, and either in a list. */
export const ThriftType = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** A value: integers are bigints, binary values and doubles are bytes. */
export type ThriftValue = boolean | bigint | Uint8Array | ThriftList | ThriftMap | ThriftStruct;

/** A list or a set. */
export interface ThriftList {
  itemType: number;
  items: ThriftValue[];
}

/** A map. */
export interface ThriftMap {
  keyType: number;
  valueType: number;
  entries: [ThriftValue, ThriftValue][];
}

/** The fields of a struct, in ascending order of their IDs. */
export type ThriftStruct = Map<number, { type: number; value: ThriftValue }>;

const { list, set, map, struct, binary, double, byte } = ThriftType;
const MAX_DEPTH = 64;
/** A value takes some 50 bytes of memory, and as little as one byte of a file. */
const MAX_VALUES = 2 ** 24;
/** What a struct counts besides its fields. */
const STRUCT_VALUES = 4;

const damaged = (why: string): TableError => new TableError('BAD_FORMAT', `the footer is damaged: ${why}`);

/** Reads one struct. @throws TableError BAD_FORMAT if the bytes end too early or are not a struct. */
export function readThrift(bytes: Uint8Array): ThriftStruct {
  return new ThriftReader(bytes).struct(0);
}

/** Reads the struct that bytes begin with. @returns Its fields and its length. @throws TableError BAD_FORMAT. */
export function readLeadingThrift(bytes: Uint8Array): { fields: ThriftStruct; length: number } {
  const reader = new ThriftReader(bytes),
    fields = reader.struct(0);
  return { fields, length: reader.length };
}

class ThriftReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The number of bytes that were read. */
  get length(): number {
    return this.#at;
  }

  struct(depth: number): ThriftStruct {
    const fields: ThriftStruct = new Map();
    this.#note(STRUCT_VALUES);
    for (let id = 0; ;) {
      const head = this.#byte();
      if (head === 0) return fields;
      const type = head & 15,
        step = head >> 4;
      id = step === 0 ? Number(this.#zigzag()) : id + step;
      this.#note(1);
      fields.set(id, {
        type,
        value: type <= ThriftType.false ? type === ThriftType.true : this.#value(type, depth),
      });
    }
  }

  #value(type: number, depth: number): ThriftValue {
    if (depth > MAX_DEPTH) throw damaged('it is nested too deeply');
    switch (type) {
      case ThriftType.true:
      case ThriftType.false:
        return this.#byte() === ThriftType.true;
      case byte:
        return BigInt((this.#byte() << 24) >> 24);
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        return this.#zigzag();
      case double:
        return this.#take(8);
      case binary:
        return this.#take(this.#count());
      case list:
      case set: {
        const head = this.#byte(),
          itemType = head & 15,
          count = head >> 4 === 15 ? this.#count() : head >> 4;
        this.#checkCount(count);
        return { itemType, items: Array.from({ length: count }, () => this.#value(itemType, depth + 1)) };
      }
      case map: {
        const count = this.#count();
        this.#checkCount(count);
        const head = count === 0 ? 0 : this.#byte();
        const keyType = head >> 4,
          valueType = head & 15;
        return {
          keyType,
          valueType,
          entries: Array.from({ length: count }, () => [
            this.#value(keyType, depth + 1),
            this.#value(valueType, depth + 1),
          ]),
        };
      }
      case struct:
        return this.struct(depth + 1);
      default:
        throw damaged(`the type ${type} is unknown`);
    }
  }

  #note(values: number): void {
    if ((this.#values += values) > MAX_VALUES) throw damaged(`it has more than ${MAX_VALUES} values`);
  }

  /** Checks the length of a list before memory is taken for it. Each item has at least one byte. */
  #checkCount(count: number): void {
    if (count > this.#bytes.length - this.#at) throw damaged('a list is longer than the rest');
    this.#note(count);
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw damaged('it ends too early');
    return this.#bytes[this.#at++];
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw damaged('it ends too early');
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #count(): number {
    const count = this.#varint();
    if (count > 0x7fffffffn) throw damaged('a length is too large');
    return Number(count);
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const next = this.#byte();
      value |= BigInt(next & 127) << shift;
      if (next < 128) return value;
    }
    throw damaged('a number is too long');
  }
}

/** Writes one struct. */
export function writeThrift(fields: ThriftStruct): Uint8Array {
  const out = new ByteWriter(1024);
  writeStruct(fields, out);
  return out.take();
}

function writeStruct(fields: ThriftStruct, out: ByteWriter): void {
  let last = 0;
  for (const [id, { type, value }] of [...fields].sort(([a], [b]) => a - b)) {
    const own = type <= ThriftType.false ? (value === true ? ThriftType.true : ThriftType.false) : type,
      step = id - last;
    if (step > 0 && step < 16) out.byte((step << 4) | own);
    else {
      out.byte(own);
      writeVarint(zigzag(BigInt(id)), out);
    }
    if (type > ThriftType.false) writeValue(type, value, out);
    last = id;
  }
  out.byte(0);
}

function writeValue(type: number, value: ThriftValue, out: ByteWriter): void {
  if (typeof value === 'boolean') out.byte(value ? ThriftType.true : ThriftType.false);
  else if (typeof value === 'bigint') {
    if (type === byte) out.byte(Number(value & 255n));
    else writeVarint(zigzag(value), out);
  } else if (value instanceof Uint8Array) {
    if (type === binary) writeVarint(BigInt(value.length), out);
    out.copy(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  } else if (value instanceof Map) writeStruct(value, out);
  else if ('items' in value) {
    const { itemType, items } = value;
    out.byte((Math.min(15, items.length) << 4) | itemType);
    if (items.length >= 15) writeVarint(BigInt(items.length), out);
    for (const item of items) writeValue(itemType, item, out);
  } else {
    writeVarint(BigInt(value.entries.length), out);
    if (value.entries.length > 0) out.byte((value.keyType << 4) | value.valueType);
    for (const [key, own] of value.entries) {
      writeValue(value.keyType, key, out);
      writeValue(value.valueType, own, out);
    }
  }
}

const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));

function writeVarint(value: bigint, out: ByteWriter): void {
  while (value > 127n) {
    out.byte(Number(value & 127n) | 128);
    value >>= 7n;
  }
  out.byte(Number(value));
}
