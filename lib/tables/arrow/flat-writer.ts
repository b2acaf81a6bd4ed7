/**
 * Writes FlatBuffers from front to back: a table first, then what its offsets point to.
 * Source: FlatBuffers documentation, "FlatBuffer Internals".
 */

/** The value of one field of a table that is written; `offset` is filled in later. */
export type FlatValue =
  | { kind: 'byte' | 'short' | 'int'; value: number }
  | { kind: 'long'; value: number | bigint }
  | { kind: 'offset' };

const SIZES = { byte: 1, short: 2, int: 4, long: 8, offset: 4 } as const;

/** Makes the values of fields. */
export const flat = {
  byte: (value: number): FlatValue => ({ kind: 'byte', value }),
  short: (value: number): FlatValue => ({ kind: 'short', value }),
  int: (value: number): FlatValue => ({ kind: 'int', value }),
  long: (value: number | bigint): FlatValue => ({ kind: 'long', value }),
  offset: { kind: 'offset' } as FlatValue,
};

/** Bytes that grow, and where the next item begins. */
export class FlatWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Begins with the offset of the root table. */
  constructor() {
    this.#take(4, 4);
  }

  /**
   * Writes a table. @returns Where each field is. @param fields The values by number; undefined is absent.
   */
  table(fields: readonly (FlatValue | undefined)[]): { position: number; slots: number[] } {
    const vtable = this.#take(4 + 2 * fields.length, 2);
    const position = this.#take(4, 8);
    this.#view.setInt32(position, position - vtable, true);
    const slots = fields.map((field) => (field ? this.#take(SIZES[field.kind], SIZES[field.kind]) : 0));
    fields.forEach((field, k) => {
      if (!field) return;
      const at = slots[k];
      if (field.kind === 'byte') this.#view.setInt8(at, field.value);
      else if (field.kind === 'short') this.#view.setInt16(at, field.value, true);
      else if (field.kind === 'int') this.#view.setInt32(at, field.value, true);
      else if (field.kind === 'long') this.#view.setBigInt64(at, BigInt(field.value), true);
    });
    this.#view.setUint16(vtable, 4 + 2 * fields.length, true);
    this.#view.setUint16(vtable + 2, this.#length - position, true);
    slots.forEach((at, k) => this.#view.setUint16(vtable + 4 + 2 * k, at === 0 ? 0 : at - position, true));
    return { position, slots };
  }

  /** Writes a vector of offsets, which are filled in later. */
  offsets(length: number): { position: number; slots: number[] } {
    const position = this.#vector(length, 4 * length, 4);
    return { position, slots: Array.from({ length }, (_, k) => position + 4 + 4 * k) };
  }

  /** Writes a vector of pairs of 64-bit numbers. */
  longs(values: readonly number[], perItem: 1 | 2): number {
    const position = this.#vector(values.length / perItem, 8 * values.length, 8);
    values.forEach((value, k) => this.#view.setBigInt64(position + 4 + 8 * k, BigInt(value), true));
    return position;
  }

  /** Writes a vector of Block structs: where each message is in a file, and its sizes. */
  blocks(blocks: readonly { offset: number; metadataBytes: number; bodyBytes: number }[]): number {
    const position = this.#vector(blocks.length, 24 * blocks.length, 8);
    blocks.forEach(({ offset, metadataBytes, bodyBytes }, k) => {
      const at = position + 4 + 24 * k;
      this.#view.setBigInt64(at, BigInt(offset), true);
      this.#view.setInt32(at + 8, metadataBytes, true);
      this.#view.setBigInt64(at + 16, BigInt(bodyBytes), true);
    });
    return position;
  }

  text(text: string): number {
    const utf8 = Buffer.from(text, 'utf8');
    const position = this.#vector(utf8.length, utf8.length + 1, 4); // ends with a zero byte
    this.#bytes.set(utf8, position + 4);
    return position;
  }

  /** Copies a whole FlatBuffer. @returns Where it begins. */
  copy(bytes: Uint8Array): number {
    const at = this.#take(bytes.byteLength, 16);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Fills in an offset. The target must come after it. */
  point(slot: number, target: number): void {
    this.#view.setUint32(slot, target - slot, true);
  }

  /** Returns all bytes, filled up to a multiple of 8. @param root The root table. */
  finish(root: number): Uint8Array<ArrayBuffer> {
    this.point(0, root);
    this.#take(0, 8);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins a vector; its first item is aligned, right after its length. */
  #vector(length: number, bytes: number, alignment: number): number {
    while ((this.#length + 4) % alignment !== 0) this.#take(1, 1);
    const position = this.#take(4 + bytes, 4);
    this.#view.setUint32(position, length, true);
    return position;
  }

  #take(bytes: number, alignment: number): number {
    const at = Math.ceil(this.#length / alignment) * alignment;
    this.#length = at + bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
