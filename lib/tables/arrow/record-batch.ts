/**
 * One record batch: where the buffers of each column are, and their bytes, decompressed on demand.
 * Source: Arrow, format/Message.fbs.
 */
import { DecodeError, TableError } from '../../base/errors.ts';
import { decodeLz4Frames } from '../../compression/lz4-frame.ts';
import { decodeZstd } from '../../compression/zstd.ts';
import { type ArrowField, bufferCount, hasVariadicBuffers } from './arrow-types.ts';
import { brokenArrow, type FlatTable } from './flat-table.ts';

/** A codec of record batches, by its number. */
export const LZ4_FRAME = 0,
  ZSTD = 1;

/** The most rows of a record batch. Rows may take no bytes, so that their number is checked by itself. */
const MAX_ROWS = 2 ** 28;
/** The most bytes of a buffer that is decompressed. */
const MAX_BUFFER = 2 ** 30;
/** LZ4 cannot shrink content to less than one part in 255. */
const MAX_LZ4_RATIO = 255;

/** The bytes of one buffer in the body. */
interface BufferSpan {
  offset: number;
  length: number;
}

/** Where a list has the items of a column, children included: from `first`, before `end`. */
interface Span {
  first: number;
  end: number;
}

/** A part of a record batch: a column, or a child of one. */
export interface ColumnNode {
  field: ArrowField;
  length: number;
  nullCount: number;
  /** The number of its own first buffer. */
  firstBuffer: number;
  /** The number of its own buffers, without those of its children. */
  buffers: number;
  children: readonly ColumnNode[];
  /** Its nodes, buffers and numbers of data buffers, with those of its children. */
  all: { nodes: Span; buffers: Span; variadicCounts: Span };
}

/** How many bytes may be decompressed: a bound for tables of strangers, whose few bytes may hold many zeros. */
export class Expansion {
  readonly #most: number;
  #taken = 0;

  /** @param most In bytes. @default no limit */
  constructor(most = Infinity) {
    this.#most = most;
  }

  /** @throws TableError BAD_FORMAT if more is taken than there is. */
  take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken > this.#most)
      throw new TableError(
        'BAD_FORMAT',
        `the Arrow data has a record batch or dictionaries of more than ${this.#most} bytes when they are decompressed: write it again with smaller record batches, or without compression`,
      );
  }
}

/** A record batch, or the values of a dictionary. */
export class RecordBatch {
  readonly rows: number;
  readonly body: Uint8Array;
  /** The columns, in the order of the schema. */
  readonly columns: readonly ColumnNode[];
  readonly spans: readonly BufferSpan[];
  /** All nodes, depth first: pairs of a length and a number of nulls. */
  readonly nodes: readonly number[];
  readonly variadicCounts: readonly number[];
  /** The codec of all buffers, by its number. */
  readonly codec: number | undefined;
  /** How many bytes more may be decompressed. */
  readonly #expansion: Expansion;

  /**
   * @param header The table of the record batch.
   * @param fields The fields of its columns.
   * @param isVersion4 Whether its metadata has version 4.
   * @param expansion How many bytes its buffers may have in all when they are decompressed. @default no limit
   * @throws TableError BAD_FORMAT.
   */
  constructor(
    header: FlatTable,
    body: Uint8Array,
    fields: readonly ArrowField[],
    isVersion4: boolean,
    expansion: Expansion = new Expansion(),
  ) {
    this.body = body;
    this.#expansion = expansion;
    this.rows = header.size(0);
    if (this.rows > MAX_ROWS)
      throw new TableError(
        'BAD_FORMAT',
        `the Arrow data has a record batch of ${this.rows} rows; at most ${MAX_ROWS} are read`,
      );
    const nodes = header.vector(1, 16);
    this.nodes = Array.from({ length: 2 * nodes.length }, (_, k) => header.sizeAt(nodes.start + 8 * k));
    const buffers = header.vector(2, 16);
    let total = 0;
    this.spans = Array.from({ length: buffers.length }, (_, k) => {
      const offset = header.sizeAt(buffers.start + 16 * k),
        length = header.sizeAt(buffers.start + 16 * k + 8);
      if (offset + length > body.length) throw brokenArrow('a buffer lies outside its record batch');
      total += length;
      return { offset, length };
    });
    if (total > body.length) throw brokenArrow('buffers overlap');
    const compression = header.table(3);
    this.codec = compression?.byte(0);
    if (compression && (compression.byte(1) !== 0 || this.codec! > ZSTD || this.codec! < 0))
      throw new TableError('BAD_FORMAT', 'the Arrow data has a compression that is not known');
    const counts = header.vector(4, 8);
    this.variadicCounts = Array.from({ length: counts.length }, (_, k) =>
      header.sizeAt(counts.start + 8 * k),
    );
    this.columns = this.#layOut(fields, isVersion4);
  }

  /** Finds the nodes and buffers of each column. They are stored depth first. */
  #layOut(fields: readonly ArrowField[], isVersion4: boolean): ColumnNode[] {
    let node = 0,
      buffer = 0,
      variadic = 0;
    const visit = (field: ArrowField): ColumnNode => {
      if (2 * node >= this.nodes.length) throw brokenArrow('a record batch lacks a column');
      const length = this.nodes[2 * node],
        nullCount = this.nodes[2 * node + 1],
        first = { node, buffer, variadic };
      node++;
      if (length > MAX_ROWS * 64 || nullCount > length)
        throw brokenArrow('a column has an impossible length');
      const type = field.dictionary?.index ?? field.type;
      let buffers = bufferCount(type, isVersion4);
      if (hasVariadicBuffers(type)) {
        if (variadic >= this.variadicCounts.length) throw brokenArrow('a column of views lacks its data');
        buffers += this.variadicCounts[variadic++];
      }
      buffer += buffers;
      if (buffer > this.spans.length) throw brokenArrow('a record batch lacks buffers');
      const children = field.dictionary ? [] : field.children.map(visit);
      const all = {
        nodes: { first: first.node, end: node },
        buffers: { first: first.buffer, end: buffer },
        variadicCounts: { first: first.variadic, end: variadic },
      };
      return { field, length, nullCount, firstBuffer: first.buffer, buffers, children, all };
    };
    const columns = fields.map(visit);
    if (
      2 * node !== this.nodes.length ||
      buffer !== this.spans.length ||
      variadic !== this.variadicCounts.length
    )
      throw brokenArrow('a record batch has more columns or buffers than the schema');
    if (columns.some(({ length }) => length !== this.rows))
      throw brokenArrow('a column has another length than its record batch');
    return columns;
  }

  /** Returns the bytes of a buffer as they are stored. */
  stored(k: number): Uint8Array {
    const { offset, length } = this.spans[k];
    return this.body.subarray(offset, offset + length);
  }

  /**
   * Returns the bytes of a buffer, decompressed, in memory that is aligned to 8 bytes.
   *
   * @throws TableError BAD_FORMAT if the buffer is damaged or too large.
   */
  async buffer(k: number): Promise<Uint8Array> {
    const bytes = this.stored(k);
    if (this.codec === undefined || bytes.length === 0) return aligned(bytes);
    if (bytes.length < 8) throw brokenArrow('a compressed buffer is cut');
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8),
      high = view.getInt32(4, true),
      size = high * 2 ** 32 + view.getUint32(0, true),
      packed = bytes.subarray(8);
    if (size === -1) return aligned(packed);
    if (high < 0) throw brokenArrow('a compressed buffer has a negative size');
    if (size > MAX_BUFFER)
      throw new TableError(
        'BAD_FORMAT',
        `the Arrow data has a buffer of ${size} bytes; at most ${MAX_BUFFER} are decompressed: write it again with smaller record batches`,
      );
    if (size === 0) return new Uint8Array(0);
    this.#expansion.take(size);
    try {
      if (this.codec === LZ4_FRAME) {
        if (size > MAX_LZ4_RATIO * packed.length)
          throw brokenArrow('a compressed buffer has an impossible size');
        return decodeLz4Frames(packed, size);
      }
      const decoded = await decodeZstd(packed, size);
      if (decoded.length !== size) throw brokenArrow('a compressed buffer has another size than it says');
      return aligned(decoded);
    } catch (error) {
      throw error instanceof DecodeError ? brokenArrow(error.message) : error;
    }
  }
}

/** Returns the same bytes at an address that is a multiple of 8. */
const aligned = (bytes: Uint8Array): Uint8Array =>
  bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
