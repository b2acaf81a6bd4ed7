/**
 * Writes rows of Arrow columns and their answers as a NumPy array of records. NumPy has no null and no texts
 * of any length: only tables of numbers become one.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TableError } from '../../base/errors.ts';
import { decodeArrowColumn } from '../arrow/arrow-columns.ts';
import type { ArrowPart } from '../arrow/arrow-reader.ts';
import { type ArrowField, spellArrowType } from '../arrow/arrow-types.ts';
import type { ArrowOrigin } from '../arrow/arrow-writer.ts';
import {
  type AnswerField,
  type AnswerValues,
  type ColumnarWriter,
  type ColumnValues,
  isPresent,
} from '../columnar/column.ts';
import { type ByteSink, ioError } from '../files/byte-streams.ts';
import { makeScratchFolder } from '../files/scratch-folder.ts';
import { type AnswerItems, answerItems, putAnswers } from '../numpy/answer-items.ts';
import { fieldEntry } from '../numpy/array-columns.ts';
import { npyHeader } from '../numpy/npy-header.ts';
import { PythonTuple } from '../numpy/python-literal.ts';

const PIECE_BYTES = 2 ** 20;

/** A column that is kept: where it is in a record. */
interface KeptItems {
  index: number;
  field: ArrowField;
  /** The bytes of a number, and how many of them a record has. */
  bytes: number;
  count: number;
  offset: number;
}

/** Writes a `.npy` file. The rows wait in a temporary file, because their number comes first. */
export class NpyOutput implements ColumnarWriter<ArrowPart> {
  readonly #origin: ArrowOrigin;
  readonly #out: ByteSink;
  readonly #kept: KeptItems[] = [];
  readonly #answers: { items: AnswerItems; offset: number; answer: number }[] = [];
  readonly #entries: PythonTuple[] = [];
  #recordBytes = 0;
  #rows = 0;
  #folder: string | undefined;
  #path = '';
  #file: FileHandle | undefined;

  constructor(origin: ArrowOrigin, out: ByteSink) {
    this.#origin = origin;
    this.#out = out;
  }

  async begin(answers: readonly AnswerField[]): Promise<void> {
    const place = (field: AnswerField): void => {
      const items = answerItems(field);
      this.#entries.push(fieldEntry(field.name, items.spelling));
      this.#answers.push({ items, offset: this.#recordBytes, answer: answers.indexOf(field) });
      this.#recordBytes += items.bytes;
    };
    this.#origin.schema.fields.forEach((field, index) => {
      const answer = answers.find(({ replaces }) => replaces === index);
      if (answer) return place(answer);
      const { spelling, bytes, count } = itemsOf(field);
      this.#entries.push(
        field.type.name === 'fixed_size_list'
          ? new PythonTuple([field.name, spelling, new PythonTuple([count])])
          : fieldEntry(field.name, spelling),
      );
      this.#kept.push({ index, field, bytes, count, offset: this.#recordBytes });
      this.#recordBytes += bytes * count;
    });
    for (const answer of answers) if (answer.replaces === undefined) place(answer);
    this.#folder = await makeScratchFolder();
    this.#path = join(this.#folder, 'records');
    this.#file = await open(this.#path, 'w');
  }

  async write({ batch, from, rows }: ArrowPart, answers: readonly AnswerValues[]): Promise<void> {
    const stride = this.#recordBytes,
      records = new Uint8Array(rows * stride);
    for (const kept of this.#kept) {
      const column = await decodeArrowColumn(batch, batch.columns[kept.index], () => {
        throw new TypeError('numbers have no dictionary');
      });
      putNumbers(column, kept, from, rows, records, stride);
    }
    for (const { items, offset, answer } of this.#answers)
      putAnswers(items, answers[answer], records, offset, stride);
    this.#rows += rows;
    await this.#file!.writeFile(records).catch((error: unknown) => {
      throw ioError('written', this.#path, error);
    });
  }

  async finish(): Promise<void> {
    await this.#file!.close();
    await this.#out.write(npyHeader(this.#entries, [this.#rows]));
    const pieces: AsyncIterable<Uint8Array> = createReadStream(this.#path, { highWaterMark: PIECE_BYTES });
    for await (const piece of pieces) await this.#out.write(piece);
    await this.close();
  }

  /** Removes the temporary file. May be called twice. */
  async close(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}

/** Returns how a column is written. @throws TableError BAD_FORMAT if it does not hold numbers. */
function itemsOf(field: ArrowField): { spelling: string; bytes: number; count: number } {
  const isList = field.type.name === 'fixed_size_list',
    { type, dictionary } = isList ? field.children[0] : field;
  const isNumber = (type.name === 'int' && type.bits <= 64) || type.name === 'float';
  if (dictionary || (!isNumber && (isList || type.name !== 'bool')))
    throw new TableError(
      'BAD_FORMAT',
      `column ${field.name} holds ${spellArrowType(field)}, and only numbers are written to .npy: write a .parquet or .csv file`,
    );
  if (type.name === 'bool') return { spelling: '|b1', bytes: 1, count: 1 };
  // Half floats are read as floats.
  const bytes = type.name === 'float' ? Math.max(4, type.bits / 8) : type.bits / 8,
    letter = type.name === 'float' ? 'f' : type.isSigned ? 'i' : 'u';
  return {
    spelling: `${bytes === 1 ? '|' : '<'}${letter}${bytes}`,
    bytes,
    count: isList ? field.type.size : 1,
  };
}

function putNumbers(
  column: ColumnValues,
  { field, bytes, count, offset }: KeptItems,
  from: number,
  rows: number,
  records: Uint8Array,
  stride: number,
): void {
  const isFloat = (column.kind === 'fixed-list' ? field.children[0] : field).type.name === 'float';
  const missing = (): never => {
    throw new TableError(
      'BAD_FORMAT',
      `column ${field.name} has nulls, which NumPy does not have: write a .parquet or .csv file`,
    );
  };
  const values = column.kind === 'fixed-list' ? column.values : column;
  for (const { validity } of [column, values])
    if (validity && (!isFloat || validity !== values.validity || column.kind === 'fixed-list'))
      for (let i = 0, size = validity === column.validity ? 1 : count; i < rows * size; i++)
        if (!isPresent(validity, from * size + i)) missing();
  if (values.kind === 'text') {
    for (let i = 0; i < rows; i++) records[offset + i * stride] = values.textAt(from + i) === 'true' ? 1 : 0;
    return;
  }
  if (values.kind !== 'number') throw new TypeError('not numbers');
  const source = new Uint8Array(values.values.buffer, values.values.byteOffset, values.values.byteLength),
    size = bytes * count,
    nan = new Uint8Array((bytes === 4 ? Float32Array.of(NaN) : Float64Array.of(NaN)).buffer);
  for (let i = 0, at = offset, next = from * size; i < rows; i++, at += stride, next += size) {
    const isNull = isFloat && column.validity !== undefined && !isPresent(column.validity, from + i);
    if (isNull) records.set(nan, at);
    else for (let k = 0; k < size; k++) records[at + k] = source[next + k];
  }
}
