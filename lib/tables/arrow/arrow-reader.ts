/** Reads an Arrow table, one record batch after the other. The columns that are not read are not decoded. */
import { TableError } from '../../base/errors.ts';
import type { ColumnarReader, ColumnValues, TableField, TablePart } from '../columnar/column.ts';
import { decodeArrowColumn } from './arrow-columns.ts';
import { type ArrowInput, type ArrowMessage, DICTIONARY_BATCH } from './arrow-messages.ts';
import { type ArrowSchema, readArrowSchema } from './arrow-schema.ts';
import { columnTypeOf, idTypeOf, spellArrowType } from './arrow-types.ts';
import { Dictionaries } from './dictionaries.ts';
import { Expansion, RecordBatch } from './record-batch.ts';
import { sliceColumn } from './slice-column.ts';

/** A record batch with more rows is cut into parts of this size. */
const PART_ROWS = 2 ** 20;
/** The version of metadata whose unions have a validity. Its number in the file. */
const VERSION_4 = 3;

/** Rows of a record batch. */
export interface ArrowPart extends TablePart {
  batch: RecordBatch;
  message: ArrowMessage;
  /** The index of the first row in the record batch. */
  from: number;
  /** The dictionary batches before the record batch. */
  dictionaries: readonly ArrowMessage[];
}

/** Reads an Arrow file or stream. */
export class ArrowReader implements ColumnarReader<ArrowPart> {
  readonly #open: () => Promise<ArrowInput>;
  readonly #maxExpanded: number | undefined;
  #input: ArrowInput | undefined;
  #schema: ArrowSchema | undefined;
  /** The dictionary batches that no record batch has followed yet. */
  pending: ArrowMessage[] = [];

  /** @param maxExpanded Most bytes of a record batch, and of all dictionaries, when they are decompressed. @default no limit */
  constructor(open: () => Promise<ArrowInput>, maxExpanded?: number) {
    this.#open = open;
    this.#maxExpanded = maxExpanded;
  }

  /** The data that is read. Known after `open`. */
  get input(): ArrowInput {
    return this.#input!;
  }

  /** The schema of the data. Known after `open`. */
  get schema(): ArrowSchema {
    return this.#schema!;
  }

  async open(): Promise<readonly TableField[]> {
    this.#input = await this.#open();
    this.#schema = readArrowSchema(this.#input.schema);
    return this.#schema.fields.map((field) => ({
      name: field.name,
      type: columnTypeOf(field),
      typeName: spellArrowType(field),
      idType: idTypeOf(field),
    }));
  }

  async *parts(wanted: readonly number[]): AsyncGenerator<ArrowPart> {
    const { fields } = this.schema;
    const dictionaries = new Dictionaries(
      wanted.map((k) => fields[k]),
      this.#maxExpanded,
    );
    let number = 0;
    try {
      for await (const message of this.input.batches()) {
        const isVersion4 = message.version === VERSION_4;
        if (message.kind === DICTIONARY_BATCH) {
          this.pending.push(message);
          await dictionaries.read(message.header, message.body, isVersion4);
          continue;
        }
        number++;
        const batch = new RecordBatch(
          message.header,
          message.body,
          fields,
          isVersion4,
          new Expansion(this.#maxExpanded),
        );
        if (batch.rows === 0) continue;
        const columns: ColumnValues[] = [];
        for (const k of wanted)
          columns.push(await decodeArrowColumn(batch, batch.columns[k], (id) => dictionaries.get(id)));
        const before = this.pending;
        this.pending = [];
        yield* cut({ rows: batch.rows, columns, batch, message, from: 0, dictionaries: before });
      }
    } catch (error) {
      throw error instanceof TableError && number > 0
        ? new TableError(error.code, `${error.message} (after ${number} record batches)`)
        : error;
    }
  }

  async close(): Promise<void> {
    await this.#input?.close();
  }
}

/** Cuts a large part. */
function* cut(part: ArrowPart): Generator<ArrowPart> {
  if (part.rows <= 2 * PART_ROWS) {
    yield part;
    return;
  }
  for (let from = 0; from < part.rows; from += PART_ROWS) {
    const rows = Math.min(PART_ROWS, part.rows - from);
    yield { ...part, rows, from, columns: part.columns.map((column) => sliceColumn(column, from, rows)) };
  }
}
