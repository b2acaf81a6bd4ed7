/** Writes rows of Arrow columns and their answers as CSV, TSV or JSON Lines. */
import { TableError } from '../../base/errors.ts';
import type { ArrowPart } from '../arrow/arrow-reader.ts';
import { Dictionaries } from '../arrow/dictionaries.ts';
import type { ArrowOrigin } from '../arrow/arrow-writer.ts';
import type { AnswerField, AnswerValues, ColumnarWriter } from '../columnar/column.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { TextFormatName } from '../formats.ts';
import type { MissingText } from '../missing.ts';
import { ByteWriter } from '../text/byte-writer.ts';
import { type CellTexts, cellTextsOf, jsonOf, requireTexts } from './cell-writers.ts';

/** The number of version 4 of the metadata. */
const VERSION_4 = 3;
const WRITE_BYTES = 2 ** 20;
const COMMA = 44,
  TAB = 9,
  LF = 10;

/** A column of the output: a column of the input by its index, or answers by theirs. */
type OutputPlace = { name: string; kept: number } | { name: string; answer: number };

/** Writes a text table. */
export class TextOutput implements ColumnarWriter<ArrowPart> {
  readonly #origin: ArrowOrigin;
  readonly #out: ByteSink;
  readonly #format: TextFormatName;
  readonly #missing: MissingText;
  readonly #writer = new ByteWriter(2 * WRITE_BYTES);
  readonly #dictionaries: Dictionaries;
  #columns: readonly OutputPlace[] = [];
  #answers: readonly AnswerField[] = [];
  /** For each answer: the text of each spelling. */
  #isCsv: boolean;
  readonly #delimiter: number;

  constructor(origin: ArrowOrigin, out: ByteSink, format: TextFormatName, missing: MissingText = 'empty') {
    this.#origin = origin;
    this.#out = out;
    this.#format = format;
    this.#missing = missing;
    this.#isCsv = format !== 'jsonl';
    this.#delimiter = format === 'tsv' ? TAB : COMMA;
    this.#dictionaries = new Dictionaries(origin.schema.fields);
  }

  async begin(answers: readonly AnswerField[]): Promise<void> {
    const { fields } = this.#origin.schema;
    this.#answers = answers;
    const columns: OutputPlace[] = fields.map(({ name }, kept) => {
      const answer = answers.findIndex(({ replaces }) => replaces === kept);
      return answer < 0 ? { name, kept } : { name, answer };
    });
    answers.forEach(({ name, replaces }, answer) => {
      if (replaces === undefined) columns.push({ name, answer });
    });
    this.#columns = columns;
    for (const column of columns) if ('kept' in column) requireTexts(fields[column.kept]);
    const names = columns.map(({ name }) => name),
      twice = names.find((name, k) => names.indexOf(name) !== k);
    if (!this.#isCsv && twice !== undefined)
      throw new TableError(
        'BAD_FORMAT',
        `column ${twice} occurs more than once, which JSON Lines cannot hold`,
      );
    if (this.#isCsv) {
      names.forEach((name, k) => {
        if (k > 0) this.#writer.byte(this.#delimiter);
        this.#field(name);
      });
      this.#writer.byte(LF);
    }
    await this.#flush();
  }

  async write(part: ArrowPart, answers: readonly AnswerValues[]): Promise<void> {
    const { batch, from, rows } = part;
    if (from === 0)
      for (const { header, body, version } of part.dictionaries)
        await this.#dictionaries.read(header, body, version === VERSION_4);
    const schema = this.#origin.schema.table.bytes;
    const cells: (CellTexts | undefined)[] = [];
    for (const column of this.#columns)
      cells.push(
        'kept' in column
          ? await cellTextsOf(batch, batch.columns[column.kept], (id) => this.#dictionaries.get(id), schema)
          : undefined,
      );
    const keys = this.#isCsv ? [] : this.#columns.map(({ name }) => Buffer.from(`${JSON.stringify(name)}: `));
    for (let row = 0; row < rows; row++) {
      if (this.#isCsv) this.#writeFields(cells, from + row, answers, row);
      else this.#writeObject(keys, cells, from + row, answers, row);
      this.#writer.byte(LF);
      if (this.#writer.length >= WRITE_BYTES) await this.#flush();
    }
    await this.#flush();
  }

  #writeFields(
    cells: readonly (CellTexts | undefined)[],
    at: number,
    answers: readonly AnswerValues[],
    row: number,
  ): void {
    const out = this.#writer;
    this.#columns.forEach((column, k) => {
      if (k > 0) out.byte(this.#delimiter);
      if ('answer' in column) {
        if (!this.#answer(column.answer, answers, row)) out.ascii(this.#missingText(column.answer));
        return;
      }
      const own = cells[k]!;
      if (own.isNull(at)) return;
      const text = own.textAt(at);
      if (own.isBare) out.ascii(text);
      else this.#field(text);
    });
  }

  #writeObject(
    keys: readonly Buffer[],
    cells: readonly (CellTexts | undefined)[],
    at: number,
    answers: readonly AnswerValues[],
    row: number,
  ): void {
    const out = this.#writer;
    out.ascii('{');
    this.#columns.forEach((column, k) => {
      if (k > 0) out.ascii(', ');
      out.copy(keys[k]);
      if ('answer' in column) {
        if (!this.#answer(column.answer, answers, row)) out.ascii('null');
      } else out.copy(Buffer.from(jsonOf(cells[k]!, at)));
    });
    out.ascii('}');
  }

  /** Writes an answer. @returns false if there is none. */
  #answer(k: number, answers: readonly AnswerValues[], row: number): boolean {
    const { values, valid, spellings = [] } = answers[k],
      { type } = this.#answers[k],
      out = this.#writer;
    if (valid?.[row] === 0) return false;
    if (type === 'string') {
      const text = spellings[Number(values[row])];
      if (this.#isCsv) this.#field(text);
      else out.copy(Buffer.from(JSON.stringify(text)));
    } else if (values instanceof BigUint64Array || values instanceof BigInt64Array) {
      // JSON readers would round a number.
      if (!this.#isCsv) out.ascii('"');
      if (values instanceof BigUint64Array) {
        const words = new Uint32Array(values.buffer, values.byteOffset + 8 * row, 2);
        out.uint64(words[0], words[1]);
      } else out.ascii(String(values[row]));
      if (!this.#isCsv) out.ascii('"');
    } else if (type === 'boolean') out.ascii(values[row] ? 'true' : 'false');
    else {
      const isFinite = Number.isFinite(values[row]),
        text = String(type === 'float32' ? shortest(values[row]) : values[row]);
      out.ascii(isFinite || this.#isCsv ? text : JSON.stringify(text));
    }
    return true;
  }

  #missingText(k: number): string {
    const isWhole = /^u?int/.test(this.#answers[k].type);
    if (this.#missing === 'NA') return 'NA';
    return this.#missing === '0' && isWhole ? '0' : '';
  }

  /** Writes a field of CSV. An empty text is written in quotes, so that it is not taken for null. */
  #field(text: string): void {
    const out = this.#writer;
    if (text === '') out.ascii('""');
    else if (/["\r\n]/.test(text) || text.includes(this.#format === 'tsv' ? '\t' : ','))
      out.copy(Buffer.from(`"${text.replaceAll('"', '""')}"`));
    else out.copy(Buffer.from(text));
  }

  async #flush(): Promise<void> {
    if (this.#writer.length > 0) await this.#out.write(this.#writer.take());
  }

  finish(): Promise<void> {
    return this.#flush();
  }
}

/** Returns the shortest number that is the same float. */
function shortest(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
