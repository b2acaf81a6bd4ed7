/**
 * Encodes a column of answers as the pages of a Parquet column chunk. Source: apache/parquet-format,
 * README.md and Encodings.md.
 */
import type { AnswerType, AnswerValues, NumberArray } from '../columnar/column.ts';
import { ByteWriter } from '../text/byte-writer.ts';
import { writeRun, writeRuns } from './hybrid-runs.ts';
import { IdDictionary } from './id-dictionary.ts';
import { binaryField, i32, i64, listField, structField, structOf } from './parquet-footer.ts';
import { compressSnappy } from './snappy.ts';
import { type ThriftStruct, ThriftType, type ThriftValue, writeThrift } from './thrift.ts';

const PAGE_VALUES = 2 ** 16;
/** A page of long texts ends earlier. */
const PAGE_BYTES = 2 ** 20;
/** A column with more distinct texts is written without a dictionary. */
const MAX_DICTIONARY = 4096;

const PLAIN = 0,
  RLE = 3,
  RLE_DICTIONARY = 8;
const SNAPPY = 1;
const DATA_PAGE = 0,
  DICTIONARY_PAGE = 2;

type ArrayOf = new (length: number) => NumberArray;

/** How a type of answers is stored: its physical type, and the annotation of its meaning. */
interface Storage {
  physical: number;
  converted?: number;
  logical?: ThriftStruct;
  /** The array whose bytes are the values. Undefined for booleans and strings. */
  Array?: ArrayOf;
}

const integer = (bits: number, isSigned: boolean): ThriftStruct =>
  structOf({
    10: structField(
      new Map<number, { type: number; value: ThriftValue }>([
        [1, { type: ThriftType.byte, value: BigInt(bits) }],
        [2, { type: ThriftType.true, value: isSigned }],
      ]),
    ),
  });

const STORAGE: Readonly<Record<AnswerType, Storage>> = {
  boolean: { physical: 0 },
  int8: { physical: 1, converted: 15, logical: integer(8, true), Array: Int32Array },
  int16: { physical: 1, converted: 16, logical: integer(16, true), Array: Int32Array },
  int32: { physical: 1, Array: Int32Array },
  uint8: { physical: 1, converted: 11, logical: integer(8, false), Array: Int32Array },
  uint16: { physical: 1, converted: 12, logical: integer(16, false), Array: Int32Array },
  uint32: { physical: 1, converted: 13, logical: integer(32, false), Array: Uint32Array },
  int64: { physical: 2, Array: BigInt64Array },
  uint64: { physical: 2, converted: 14, logical: integer(64, false), Array: BigUint64Array },
  float32: { physical: 4, Array: Float32Array },
  float64: { physical: 5, Array: Float64Array },
  string: { physical: 6, converted: 0, logical: structOf({ 1: structField(new Map()) }) },
};

/** Returns the element of the schema of a column of answers. All are optional. */
export function schemaElement(name: string, type: AnswerType): ThriftStruct {
  const { physical, converted, logical } = STORAGE[type];
  return structOf({
    1: i32(physical),
    3: i32(1),
    4: binaryField(name),
    6: converted === undefined ? undefined : i32(converted),
    10: logical && structField(logical),
  });
}

/** A column chunk: its pages, and the struct `ColumnMetaData` for their place in the file. */
export interface ColumnChunk {
  pages: readonly Uint8Array[];
  length: number;
  uncompressed: number;
  metadata(position: number): ThriftStruct;
}

/** Encodes the values of one column of one row group. */
export class AnswerPages {
  readonly #name: string;
  readonly #storage: Storage;
  readonly #pages: Uint8Array[] = [];
  /** The values of the current page. Booleans are bytes; strings are indices of `#texts`. */
  #values: NumberArray;
  readonly #valid = new Uint8Array(PAGE_VALUES);
  #rows = 0;
  #present = 0;
  #bytes = 0;
  #total = 0;
  #uncompressed = 0;
  #compressed = 0;
  /** The distinct texts of the row group, or the texts of this page once there are too many. */
  #texts: string[] = [];
  readonly #indices = new Map<string, number>();
  /** The texts of the dictionary once it is complete. */
  #dictionary: readonly string[] | undefined;
  /** The dictionary of 64-bit values, and the numbers of those of the current page. */
  #ids: IdDictionary | undefined;
  readonly #numbers: Uint32Array;
  #isPlain: boolean;
  /** The index in `#texts` of each spelling, plus 1. */
  #known: { spellings: readonly string[]; indices: number[] } = { spellings: [], indices: [] };

  constructor(name: string, type: AnswerType) {
    this.#name = name;
    this.#storage = STORAGE[type];
    this.#values = new (this.#storage.Array ?? (type === 'string' ? Uint32Array : Uint8Array))(PAGE_VALUES);
    const isWide = type === 'uint64' || type === 'int64';
    this.#ids = isWide ? new IdDictionary() : undefined;
    this.#numbers = new Uint32Array(isWide ? PAGE_VALUES : 0);
    this.#isPlain = type !== 'string' && !isWide;
  }

  get #isText(): boolean {
    return this.#storage.physical === 6;
  }

  /** Adds rows. */
  add({ values, valid, spellings }: AnswerValues): void {
    for (let from = 0; from < values.length;) {
      const count = Math.min(values.length - from, PAGE_VALUES - this.#rows),
        own = valid?.subarray(from, from + count);
      if (own) this.#valid.set(own, this.#rows);
      else this.#valid.fill(1, this.#rows, this.#rows + count);
      if (this.#isText) this.#addTexts(values, from, count, own, spellings ?? []);
      else this.#addNumbers(values, from, count, own);
      this.#rows += count;
      from += count;
      if (this.#rows === PAGE_VALUES || this.#bytes > PAGE_BYTES) this.#endPage();
    }
  }

  #addNumbers(values: NumberArray, from: number, count: number, valid: Uint8Array | undefined): void {
    const to = this.#values;
    if (!valid?.includes(0)) {
      to.set(values.subarray(from, from + count) as never, this.#present);
      this.#present += count;
      return;
    }
    // 64-bit values are moved as words.
    const isWide = to instanceof BigUint64Array || to instanceof BigInt64Array,
      source = isWide
        ? new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
        : (values as Uint32Array),
      target = isWide ? new Uint32Array(to.buffer) : (to as Uint32Array);
    let next = this.#present;
    for (let k = 0; k < count; k++) {
      if (!valid[k]) continue;
      if (isWide) {
        target[2 * next] = source[2 * (from + k)];
        target[2 * next + 1] = source[2 * (from + k) + 1];
      } else target[next] = source[from + k];
      next++;
    }
    this.#present = next;
  }

  #addTexts(
    values: NumberArray,
    from: number,
    count: number,
    valid: Uint8Array | undefined,
    spellings: readonly string[],
  ): void {
    if (this.#known.spellings !== spellings) this.#known = { spellings, indices: [] };
    const { indices } = this.#known,
      to = this.#values as Uint32Array;
    let next = this.#present;
    for (let k = 0; k < count; k++) {
      if (valid && !valid[k]) continue;
      const spelling = values[from + k] as number;
      if (this.#isPlain) this.#bytes += this.#texts.push(spellings[spelling]) && spellings[spelling].length;
      else to[next] = indices[spelling] ??= this.#indexOf(spellings[spelling]);
      next++;
    }
    this.#present = next;
  }

  #indexOf(text: string): number {
    let index = this.#indices.get(text);
    if (index === undefined) this.#indices.set(text, (index = this.#texts.push(text) - 1));
    return index;
  }

  #endPage(): void {
    if (this.#rows === 0) return;
    const out = new ByteWriter(1 << 18);
    out.copy(Buffer.alloc(4));
    if (this.#present === this.#rows) writeRun(1, this.#rows, 1, out);
    else writeRuns(this.#valid, this.#rows, 1, out);
    const levels = out.length - 4;
    const encoding = this.#writeValues(out),
      body = out.take();
    body.writeUInt32LE(levels, 0);
    this.#addPage(
      body,
      structOf({
        5: structField(structOf({ 1: i32(this.#rows), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE) })),
      }),
      DATA_PAGE,
    );
    this.#total += this.#rows;
    this.#rows = this.#present = this.#bytes = 0;
    if (!this.#isText) return;
    if (this.#isPlain) this.#texts = [];
    else if (this.#texts.length > MAX_DICTIONARY) {
      // The pages so far keep their dictionary.
      this.#dictionary = this.#texts;
      this.#texts = [];
      this.#isPlain = true;
    }
  }

  /** @returns The encoding. */
  #writeValues(out: ByteWriter): number {
    const values = this.#values,
      present = this.#present;
    if (this.#ids && !this.#isPlain) {
      this.#isPlain = !this.#ids.number(new Uint32Array(values.buffer), present, this.#numbers);
      if (!this.#isPlain) return writeIndices(this.#numbers, present, this.#ids.size, out);
    }
    if (this.#storage.Array) out.copy(Buffer.from(values.buffer, 0, present * values.BYTES_PER_ELEMENT));
    else if (!this.#isText)
      for (let k = 0; k < present; k += 8) {
        let bits = 0;
        for (let bit = 0; bit < 8 && k + bit < present; bit++) bits |= Number(values[k + bit]) << bit;
        out.byte(bits);
      }
    else if (this.#isPlain) writeTexts(this.#texts, out);
    else return writeIndices(values as Uint32Array, present, this.#texts.length, out);
    return PLAIN;
  }

  #addPage(body: Uint8Array, header: ThriftStruct, type: number): void {
    const compressed = compressSnappy(body);
    const head = writeThrift(
      new Map([...structOf({ 1: i32(type), 2: i32(body.length), 3: i32(compressed.length) }), ...header]),
    );
    this.#pages.push(head, compressed);
    this.#uncompressed += head.length + body.length;
    this.#compressed += head.length + compressed.length;
  }

  /** Adds the page of the dictionary, if there is one. */
  #addDictionary(): boolean {
    const out = new ByteWriter(1 << 12),
      texts = this.#dictionary ?? (this.#isText && !this.#isPlain ? this.#texts : undefined);
    // A dictionary of numbers without values belongs to no page.
    const ids = this.#ids && (this.#ids.size > 0 || !this.#isPlain) ? this.#ids.words : undefined;
    if (texts) writeTexts(texts, out);
    else if (ids) out.copy(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    else return false;
    const count = texts ? texts.length : ids!.length / 2;
    this.#addPage(
      out.take(),
      structOf({ 7: structField(structOf({ 1: i32(count), 2: i32(PLAIN) })) }),
      DICTIONARY_PAGE,
    );
    return true;
  }

  /** Ends the column chunk. */
  end(): ColumnChunk {
    this.#endPage();
    const data = this.#pages.splice(0),
      before = this.#compressed,
      hasDictionary = this.#addDictionary();
    const encodings = [RLE, ...(hasDictionary ? [PLAIN, RLE_DICTIONARY] : [PLAIN])],
      dictionaryBytes = this.#compressed - before;
    return {
      pages: [...this.#pages, ...data],
      length: this.#compressed,
      uncompressed: this.#uncompressed,
      metadata: (position) =>
        structOf({
          1: i32(this.#storage.physical),
          2: listField(
            ThriftType.i32,
            encodings.map((encoding) => BigInt(encoding)),
          ),
          3: listField(ThriftType.binary, [Buffer.from(this.#name)]),
          4: i32(SNAPPY),
          5: i64(this.#total),
          6: i64(this.#uncompressed),
          7: i64(this.#compressed),
          9: i64(position + dictionaryBytes),
          11: hasDictionary ? i64(position) : undefined,
        }),
    };
  }
}

/** Writes indices of a dictionary of `size` values. @returns The encoding. */
function writeIndices(indices: Uint32Array, count: number, size: number, out: ByteWriter): number {
  const width = Math.max(1, 32 - Math.clz32(Math.max(0, size - 1)));
  out.byte(width);
  writeRuns(indices, count, width, out);
  return RLE_DICTIONARY;
}

function writeTexts(texts: readonly string[], out: ByteWriter): void {
  for (const text of texts) {
    const bytes = Buffer.from(text),
      length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    out.copy(length);
    out.copy(bytes);
  }
}
