/** Writes the rows of a text table as record batches with columns of answers, for outputs of other formats. */
import { TableError } from '../../base/errors.ts';
import { decodeArrowColumn } from '../arrow/arrow-columns.ts';
import { type ArrowPart, ArrowReader } from '../arrow/arrow-reader.ts';
import type { ArrowOrigin } from '../arrow/arrow-writer.ts';
import { buildBatch, builtInput } from '../arrow/built-table.ts';
import { RecordBatch } from '../arrow/record-batch.ts';
import { AnswerSink } from '../columnar/answer-sink.ts';
import type { ColumnValues, IdType } from '../columnar/column.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { IdFormatName } from '../formats.ts';
import type { RowAnswers } from '../answers.ts';
import type { TableSink } from '../table.ts';
import type { MissingText } from '../missing.ts';
import { rowStart } from '../text/rows.ts';
import type { TextBatch } from '../text/text-batch.ts';
import type { TextFormat } from '../text/text-format.ts';
import type { TextConverter } from './converted-text.ts';
import { DelimitedScanner } from './delimited-columns.ts';
import { JsonScanner } from './json-columns.ts';
import { type OutputFormat, requireOutput, writerOfOutput } from './outputs.ts';
import type { RowBuilder, RowColumns, RowScanner } from './row-columns.ts';
import { type ScannedFile, scanTable } from './table-scan.ts';

/** The most rows of a record batch, and about the most bytes of its texts. */
const PART_ROWS = 2 ** 16,
  PART_BYTES = 2 ** 25;

/** The table that is converted. */
export interface ConvertedTable {
  files: readonly ScannedFile[];
  format: IdFormatName;
  /** The format as it is read. */
  rows: TextFormat;
  /** The column name of a list. */
  listName: string;
  output: OutputFormat;
  idType?: IdType;
  signal?: AbortSignal;
}

/** Scans a table, and makes what writes it. @throws TableError. */
export async function openTextConverter(table: ConvertedTable): Promise<TextConverter> {
  const { files, rows, signal } = table;
  const columns = await scanTable(files, rows.rules, scannerOf(table), signal);
  requireNames(columns.fields.map(({ name }) => name));
  const origin = originOf(columns);
  await origin.open();
  await requireOutput(table.output, origin);
  return { sinkTo: (out, missing) => new ConvertedSink(table, columns, out, missing) };
}

function scannerOf({ format, output, rows: { rules }, listName }: ConvertedTable): RowScanner {
  if (format === 'jsonl') return new JsonScanner();
  const isList = format === 'list' || format === 'tab-list';
  const keepsTexts = output.format === 'csv' || output.format === 'tsv';
  return new DelimitedScanner(rules.delimiter!, keepsTexts, isList ? [listName] : undefined);
}

function requireNames(names: readonly string[]): void {
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined)
    throw new TableError(
      'BAD_FORMAT',
      `column ${twice} occurs more than once: only an output in the format of the input can hold it`,
    );
}

/** Makes what stands for the reader of a table. It must be opened. */
const originOf = ({ fields }: RowColumns): ArrowReader & ArrowOrigin =>
  Object.assign(new ArrowReader(() => Promise.resolve(builtInput(fields, noBatches))), {
    // pandas would turn whole numbers with nulls into doubles.
    noted: fields.flatMap(({ name, type, hasNulls }) =>
      hasNulls && (type === 'int64' || type === 'uint64' || type === 'boolean') ? [{ name, type }] : [],
    ),
  });

class ConvertedSink implements TableSink<TextBatch> {
  readonly #table: ConvertedTable;
  readonly #columns: RowColumns;
  readonly #origin: ArrowReader & ArrowOrigin;
  readonly #builder: RowBuilder;
  readonly #out: ByteSink;
  readonly #missing: MissingText | undefined;
  #sink: AnswerSink<ArrowPart> | undefined;
  #writer: ReturnType<typeof writerOfOutput> | undefined;

  constructor(table: ConvertedTable, columns: RowColumns, out: ByteSink, missing: MissingText | undefined) {
    this.#table = table;
    this.#columns = columns;
    this.#out = out;
    this.#missing = missing;
    this.#builder = columns.builder();
    this.#origin = originOf(columns);
  }

  async write(batch: TextBatch, answers: RowAnswers): Promise<void> {
    const { outputs } = this.#table.rows.columns,
      old = this.#columns.fields.flatMap(({ name }, k) => (outputs.includes(name) ? [k] : []));
    this.#sink ??= await this.#open();
    const parts: ArrowPart[] = [];
    for await (const part of this.#partsOf(batch, old)) parts.push(part);
    await this.#sink.write({ parts, rows: batch.rows, outputs, nameOf: (row) => batch.nameOf(row) }, answers);
  }

  async #open(): Promise<AnswerSink<ArrowPart>> {
    const { idType, output } = this.#table,
      fields = await this.#origin.open();
    return new AnswerSink<ArrowPart>({
      // The IDs of text have no type that answers should take.
      fields: fields.map((field) => ({ ...field, idType: undefined })),
      idType,
      oldColumn: (part, index) => part.columns[index],
      createWriter: () => (this.#writer = writerOfOutput(output, this.#origin, this.#out, this.#missing)),
    });
  }

  async *#partsOf({ blocks }: TextBatch, old: readonly number[]): AsyncGenerator<ArrowPart> {
    const builder = this.#builder;
    let rows = 0,
      isEmpty = true;
    for (const block of blocks)
      for (let k = 0; k < block.ends.length; k++) {
        builder.add(block.bytes, rowStart(block, k), block.ends[k]);
        if (++rows < PART_ROWS && builder.bytes < PART_BYTES) continue;
        yield this.#toPart(rows, old);
        rows = 0;
        isEmpty = false;
      }
    if (rows > 0 || isEmpty) yield this.#toPart(rows, old);
  }

  /** Makes a part of the rows of the builder. @param old The columns whose values are needed. */
  async #toPart(rows: number, old: readonly number[]): Promise<ArrowPart> {
    const message = buildBatch(this.#builder.take(), rows);
    const batch = new RecordBatch(message.header, message.body, this.#origin.schema.fields, false);
    const columns: ColumnValues[] = [];
    for (const k of old)
      columns[k] = await decodeArrowColumn(batch, batch.columns[k], () => {
        throw new TypeError('columns that are built have no dictionaries');
      });
    return { rows, columns, batch, message, from: 0, dictionaries: [] };
  }

  async finish(): Promise<void> {
    try {
      await this.#sink?.finish();
    } finally {
      await this.#writer?.close?.();
    }
  }
}

async function* noBatches(): AsyncGenerator<never> {}
