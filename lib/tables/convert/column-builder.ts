/** Builds columns of values one after the other. */
import { packBits } from '../columnar/column.ts';
import { wordsOf } from '../../base/uint64.ts';
import { type BuiltColumn, viewBytes } from '../arrow/built-table.ts';

const FIRST_ROWS = 1024;

/** Matches half of a surrogate pair, which UTF-8 cannot hold. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

/** The marks of the values that are present. */
class Marks {
  #marks = new Uint8Array(FIRST_ROWS);
  length = 0;
  #nulls = 0;

  add(isPresent: boolean): void {
    if (this.length === this.#marks.length) this.#marks = grown(this.#marks);
    this.#marks[this.length++] = isPresent ? 1 : 0;
    if (!isPresent) this.#nulls++;
  }

  take(): Pick<BuiltColumn, 'length' | 'valid'> {
    const { length } = this,
      valid = this.#nulls > 0 ? this.#marks.slice(0, length) : undefined;
    this.length = this.#nulls = 0;
    return { length, valid };
  }
}

function grown<A extends Uint8Array | Uint32Array | Float64Array | Int32Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(2 * array.length);
  larger.set(array);
  return larger;
}

/** Builds a column of 64-bit integers from their words. */
export class IntegerBuilder {
  readonly #marks = new Marks();
  #words = new Uint32Array(2 * FIRST_ROWS);

  add(low: number, high: number): void {
    const at = 2 * this.#marks.length;
    if (at === this.#words.length) this.#words = grown(this.#words);
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.#marks.add(true);
  }

  /** Adds a whole number below 2^53. */
  addNumber(value: number): void {
    this.add(value >>> 0, Math.floor(value / 2 ** 32) >>> 0);
  }

  addBigint(value: bigint): void {
    const [low, high] = wordsOf(BigUint64Array.of(BigInt.asUintN(64, value)));
    this.add(low, high);
  }

  addNull(): void {
    const at = 2 * this.#marks.length;
    if (at === this.#words.length) this.#words = grown(this.#words);
    this.#words[at] = this.#words[at + 1] = 0;
    this.#marks.add(false);
  }

  take(): BuiltColumn {
    const own = this.#marks.take();
    return { ...own, buffers: [viewBytes(this.#words.slice(0, 2 * own.length))] };
  }
}

/** Builds a column of doubles. */
export class DoubleBuilder {
  readonly #marks = new Marks();
  #values = new Float64Array(FIRST_ROWS);

  add(value: number | undefined): void {
    if (this.#marks.length === this.#values.length) this.#values = grown(this.#values);
    this.#values[this.#marks.length] = value ?? 0;
    this.#marks.add(value !== undefined);
  }

  take(): BuiltColumn {
    const own = this.#marks.take();
    return { ...own, buffers: [viewBytes(this.#values.slice(0, own.length))] };
  }
}

/** Builds a column of booleans. */
export class BooleanBuilder {
  readonly #marks = new Marks();
  #values = new Uint8Array(FIRST_ROWS);

  add(value: boolean | undefined): void {
    if (this.#marks.length === this.#values.length) this.#values = grown(this.#values);
    this.#values[this.#marks.length] = value ? 1 : 0;
    this.#marks.add(value !== undefined);
  }

  take(): BuiltColumn {
    const own = this.#marks.take();
    return { ...own, buffers: [packBits(this.#values.subarray(0, own.length))] };
  }
}

/** Builds a column of texts. */
export class TextBuilder {
  readonly #marks = new Marks();
  #ends = new Int32Array(FIRST_ROWS);
  #bytes = Buffer.allocUnsafe(1 << 14);
  #used = 0;

  /** The bytes of all texts so far. */
  get bytes(): number {
    return this.#used;
  }

  add(text: string | undefined): void {
    if (text === undefined) return this.#end(false);
    const bytes = Buffer.from(text);
    this.addBytes(bytes, 0, bytes.length);
  }

  /** Adds the text `bytes[start, end)`. */
  addBytes(bytes: Buffer, start: number, end: number): void {
    const needed = this.#used + end - start;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, needed));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#used, start, end);
    this.#used = needed;
    this.#end(true);
  }

  #end(isPresent: boolean): void {
    const next = this.#marks.length + 1;
    if (next === this.#ends.length) this.#ends = grown(this.#ends);
    this.#ends[next] = this.#used;
    this.#marks.add(isPresent);
  }

  take(): BuiltColumn {
    const own = this.#marks.take(),
      data = new Uint8Array(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    return { ...own, buffers: [viewBytes(this.#ends.slice(0, own.length + 1)), data] };
  }
}

/** Builds the starts of lists; their items are built by themselves. */
export class ListBuilder {
  readonly #marks = new Marks();
  #ends = new Int32Array(FIRST_ROWS);
  #items = 0;

  /** Adds a list of `items` values; undefined for null. */
  add(items: number | undefined): void {
    const next = this.#marks.length + 1;
    if (next === this.#ends.length) this.#ends = grown(this.#ends);
    this.#ends[next] = this.#items += items ?? 0;
    this.#marks.add(items !== undefined);
  }

  take(item: BuiltColumn): BuiltColumn {
    const own = this.#marks.take();
    this.#items = 0;
    return { ...own, buffers: [viewBytes(this.#ends.slice(0, own.length + 1))], children: [item] };
  }
}

/** Builds the marks of structs; their fields are built by themselves. */
export class StructBuilder {
  readonly #marks = new Marks();

  add(isPresent: boolean): void {
    this.#marks.add(isPresent);
  }

  take(children: readonly BuiltColumn[]): BuiltColumn {
    return { ...this.#marks.take(), buffers: [], children };
  }
}
