/**
 * Reads FlatBuffers, the metadata of Arrow files. Every offset and length is checked before use.
 * Source: FlatBuffers documentation, "FlatBuffer Internals".
 */
import { TableError } from '../../base/errors.ts';

/** Makes the error for metadata that breaks its format. */
export const brokenArrow = (what: string): TableError =>
  new TableError('BAD_FORMAT', `the Arrow data is broken: ${what}`);

/** The largest whole number that a double holds exactly. */
const MAX_WHOLE = Number.MAX_SAFE_INTEGER;

/** The vector of a table: `length` items, the first at `start`. */
export interface FlatVector {
  start: number;
  length: number;
}

/**
 * A table of a FlatBuffer. Fields are named by their number in the schema. An absent field has its default.
 */
export class FlatTable {
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly #view: DataView;
  readonly #vtable: number;
  readonly #vtableEnd: number;

  /** @throws TableError BAD_FORMAT if there is no table at `position`. */
  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes;
    this.position = position;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#need(position, 4);
    const vtable = position - this.#view.getInt32(position, true);
    this.#need(vtable, 4);
    const size = this.#view.getUint16(vtable, true);
    this.#need(vtable, size);
    if (size < 4) throw brokenArrow('a table has no fields');
    this.#vtable = vtable;
    this.#vtableEnd = vtable + size;
  }

  /** Returns the root table of a FlatBuffer. */
  static root(bytes: Uint8Array): FlatTable {
    if (bytes.byteLength < 4) throw brokenArrow('its metadata is cut');
    return new FlatTable(bytes, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  }

  /** Returns where a field of one byte is; undefined if it is absent. */
  placeOfByte(field: number): number | undefined {
    return this.#find(field, 1) || undefined;
  }

  byte(field: number, absent = 0): number {
    const at = this.#find(field, 1);
    return at === 0 ? absent : this.#view.getInt8(at);
  }

  short(field: number, absent = 0): number {
    const at = this.#find(field, 2);
    return at === 0 ? absent : this.#view.getInt16(at, true);
  }

  int(field: number, absent = 0): number {
    const at = this.#find(field, 4);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  /** Returns a whole number that must not be negative. */
  size(field: number): number {
    const at = this.#find(field, 8);
    return at === 0 ? 0 : this.sizeAt(at);
  }

  /** Returns a signed 64-bit number. */
  long(field: number): bigint {
    const at = this.#find(field, 8);
    return at === 0 ? 0n : this.#view.getBigInt64(at, true);
  }

  /** Returns the 64-bit number at a position of a struct; it must not be negative. */
  sizeAt(at: number): number {
    const high = this.#view.getInt32(at + 4, true),
      value = high * 2 ** 32 + this.#view.getUint32(at, true);
    if (high < 0 || value > MAX_WHOLE) throw brokenArrow('a size is negative or too large');
    return value;
  }

  /** Returns the 32-bit number at a position of a struct. */
  intAt(at: number): number {
    return this.#view.getInt32(at, true);
  }

  /** Returns where the target of an offset begins; undefined if the field is absent. */
  target(field: number): number | undefined {
    const at = this.#find(field, 4);
    return at === 0 ? undefined : this.#follow(at);
  }

  table(field: number): FlatTable | undefined {
    const target = this.target(field);
    return target === undefined ? undefined : new FlatTable(this.bytes, target);
  }

  /** Returns a vector whose items have `itemBytes` each; an absent vector is empty. */
  vector(field: number, itemBytes: number): FlatVector {
    const target = this.target(field);
    if (target === undefined) return { start: 0, length: 0 };
    this.#need(target, 4);
    const length = this.#view.getUint32(target, true);
    this.#need(target + 4, length * itemBytes);
    return { start: target + 4, length };
  }

  /** Returns the tables of a vector of tables. */
  *tables(field: number): Generator<FlatTable> {
    const { start, length } = this.vector(field, 4);
    for (let k = 0; k < length; k++) yield new FlatTable(this.bytes, this.#follow(start + 4 * k));
  }

  text(field: number): string | undefined {
    if (this.target(field) === undefined) return undefined;
    const { start, length } = this.vector(field, 1);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  /** Returns where a field of `size` bytes is, or 0 if it is absent. */
  #find(field: number, size: number): number {
    const entry = this.#vtable + 4 + 2 * field;
    if (entry + 2 > this.#vtableEnd) return 0;
    const offset = this.#view.getUint16(entry, true);
    if (offset === 0) return 0;
    this.#need(this.position + offset, size);
    return this.position + offset;
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true);
  }

  #need(at: number, bytes: number): void {
    if (at < 0 || at + bytes > this.bytes.byteLength) throw brokenArrow('its metadata points outside itself');
  }
}
