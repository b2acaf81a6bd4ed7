/** Reads a `.npy` file as a table, and writes it as an array of records with the answers as fields. */
import { TableError } from '../../base/errors.ts';
import type {
  AnswerField,
  AnswerValues,
  ColumnarReader,
  ColumnarWriter,
  TableField,
  TablePart,
} from '../columnar/column.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { FileReader } from '../files/file-reader.ts';
import { type AnswerItems, answerItems, putAnswers } from './answer-items.ts';
import {
  type ArrayColumn,
  charactersOf,
  columnsOfArray,
  decodeRows,
  fieldEntry,
  toTableField,
} from './array-columns.ts';
import { ArrayRows } from './array-rows.ts';
import { npyHeader, npyHeaderBytes, PREFIX_BYTES, readNpyHeader } from './npy-header.ts';

/** Rows of an array. */
export interface NpyPart extends TablePart {
  /** The rows, in the order of C. */
  bytes: Uint8Array;
}

/** Reads a `.npy` file. */
export class NpyReader implements ColumnarReader<NpyPart> {
  readonly #open: () => Promise<FileReader>;
  readonly #listName: string;
  #file: FileReader | undefined;
  #rows: ArrayRows | undefined;
  /** All columns, padding included. Known after `open`. */
  columns: readonly ArrayColumn[] = [];

  /** @param listName The name of the column of a 1-D array. */
  constructor(open: () => Promise<FileReader>, listName: string) {
    this.#open = open;
    this.#listName = listName;
  }

  /** The number of rows. Known after `open`. */
  get rows(): number {
    return this.#rows!.rows;
  }

  /** The bytes of a row. Known after `open`. */
  get rowBytes(): number {
    return this.#rows!.rowBytes;
  }

  async open(): Promise<readonly TableField[]> {
    const file = (this.#file = await this.#open());
    const bytes = npyHeaderBytes(await file.read(0, Math.min(PREFIX_BYTES, file.size)));
    const header = readNpyHeader(await file.read(0, bytes));
    this.columns = columnsOfArray(header, this.#listName);
    const rows = (this.#rows = new ArrayRows(
        header,
        (offset) => new ByteQueue(file.pieces(offset, file.size - offset)),
      )),
      expected = header.dataOffset + rows.rows * rows.rowBytes;
    if (file.size < expected)
      throw new TableError('BAD_FORMAT', `the NumPy array is cut: it has ${file.size} bytes of ${expected}`);
    if (file.size > expected)
      throw new TableError(
        'BAD_FORMAT',
        'more bytes follow the NumPy array; only one array per file is read',
      );
    return this.#named.map(toTableField);
  }

  /** The columns without padding. */
  get #named(): ArrayColumn[] {
    return this.columns.filter(({ name }) => name !== '');
  }

  async *parts(wanted: readonly number[]): AsyncGenerator<NpyPart> {
    const source = this.#rows!,
      columns = wanted.map((k) => this.#named[k]);
    for (let done = 0; done < source.rows; done += source.partRows) {
      const rows = Math.min(source.partRows, source.rows - done),
        bytes = await source.take(rows);
      yield { rows, bytes, columns: decodeRows(columns, bytes, source.rowBytes, rows) };
    }
  }

  async close(): Promise<void> {
    await this.#rows?.close();
    await this.#file?.close();
  }
}

/** Bytes of each row that are copied: `bytes` from `from` to `to`. */
interface Segment {
  from: number;
  to: number;
  bytes: number;
}

/** Writes an array of records. */
export class NpyWriter implements ColumnarWriter<NpyPart> {
  readonly #reader: NpyReader;
  readonly #out: ByteSink;
  readonly #segments: Segment[] = [];
  /** Where the answers are in a record, in the order of the answers. */
  readonly #answers: { items: AnswerItems; offset: number }[] = [];
  #recordBytes = 0;

  /** @param reader The reader of the input. It must be open. */
  constructor(reader: NpyReader, out: ByteSink) {
    this.#reader = reader;
    this.#out = out;
  }

  async begin(fields: readonly AnswerField[]): Promise<void> {
    const { columns, rows } = this.#reader;
    const entries = [];
    let named = 0;
    const place = (field: AnswerField, old?: ArrayColumn): void => {
      const items = answerItems(field, old ? charactersOf(old) : 0);
      entries.push(fieldEntry(old?.entry.items[0] ?? field.name, items.spelling));
      this.#answers[fields.indexOf(field)] = { items, offset: this.#recordBytes };
      this.#recordBytes += items.bytes;
    };
    for (const column of columns) {
      const index = column.name === '' ? -1 : named++,
        answer = fields.find(({ replaces }) => replaces === index);
      if (answer) place(answer, column);
      else {
        entries.push(column.entry);
        this.#keep(column);
      }
    }
    for (const field of fields) if (field.replaces === undefined) place(field);
    await this.#out.write(npyHeader(entries, [rows]));
  }

  #keep({ offset, bytes }: ArrayColumn): void {
    const last = this.#segments.at(-1);
    if (last && last.from + last.bytes === offset && last.to + last.bytes === this.#recordBytes)
      last.bytes += bytes;
    else this.#segments.push({ from: offset, to: this.#recordBytes, bytes });
    this.#recordBytes += bytes;
  }

  async write({ rows, bytes: input }: NpyPart, answers: readonly AnswerValues[]): Promise<void> {
    const { rowBytes } = this.#reader,
      stride = this.#recordBytes,
      records = new Uint8Array(rows * stride);
    for (const { from, to, bytes } of this.#segments)
      for (let row = 0, at = from, out = to; row < rows; row++, at += rowBytes, out += stride)
        if (bytes > COPY_BYTES) records.set(input.subarray(at, at + bytes), out);
        else for (let k = 0; k < bytes; k++) records[out + k] = input[at + k];
    this.#answers.forEach(({ items, offset }, k) => putAnswers(items, answers[k], records, offset, stride));
    await this.#out.write(records);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/** Fewer bytes are copied faster one by one. */
const COPY_BYTES = 64;
