/** Writes the answers of batches as typed columns, part by part. */
import { TableError } from '../../base/errors.ts';
import { type AnswerPlace, cellsPerSide, layOutAnswers, type RowAnswers } from '../answers.ts';
import { keptRows, typeOfAnswers, valuesOfAnswers } from './answer-values.ts';
import type {
  AnswerField,
  AnswerValues,
  ColumnarWriter,
  ColumnValues,
  IdType,
  TableField,
  TablePart,
} from './column.ts';
import { holdsIds } from './column-ids.ts';
import { keepValues } from './kept-values.ts';

/** The table whose answers are written. */
export interface AnsweredTable<P extends TablePart> {
  /** The columns of the input. */
  fields: readonly TableField[];
  /** The type of IDs. @default the type of the column that is replaced, if it is one of them; else uint64 */
  idType?: IdType;
  /** Returns a column of a part by its index in the table; undefined if it cannot be read. */
  oldColumn(part: P, index: number): ColumnValues | undefined;
  /** Makes the writer. Called once, with the first batch. */
  createWriter(): ColumnarWriter<P>;
}

/** A batch that came in parts. */
export interface AnsweredBatch<P extends TablePart> {
  parts: readonly P[];
  rows: number;
  /** The columns that are written. */
  outputs: readonly string[];
  nameOf(row: number): string;
}

/** Writes batches with their answers. */
export class AnswerSink<P extends TablePart> {
  readonly #table: AnsweredTable<P>;
  #writer: ColumnarWriter<P> | undefined;
  #fields: readonly AnswerField[] = [];

  constructor(table: AnsweredTable<P>) {
    this.#table = table;
  }

  async write(batch: AnsweredBatch<P>, answers: RowAnswers): Promise<void> {
    const { outputs } = batch,
      places = layOutAnswers(answers, outputs.length / cellsPerSide(answers));
    if (!this.#writer) {
      this.#fields = this.#fieldsOf(outputs, places);
      this.#writer = this.#table.createWriter();
      await this.#writer.begin(this.#fields);
    }
    await this.#write(batch, places, this.#writer);
  }

  async finish(): Promise<void> {
    await this.#writer?.finish();
  }

  #fieldsOf(outputs: readonly string[], places: readonly AnswerPlace[]): AnswerField[] {
    const { fields, idType } = this.#table;
    return outputs.map((name, k) => {
      const index = fields.findIndex((field) => field.name === name),
        replaced = index < 0 ? undefined : fields[index];
      return {
        name,
        type: typeOfAnswers(places[k], idType ?? replaced?.idType ?? 'uint64'),
        ...(replaced && { replaces: index }),
      };
    });
  }

  async #write(
    batch: AnsweredBatch<P>,
    places: readonly AnswerPlace[],
    writer: ColumnarWriter<P>,
  ): Promise<void> {
    const fields = this.#fields,
      { parts, rows } = batch;
    const columns = fields.map(({ name, type, replaces }, k) => {
      const answers = valuesOfAnswers(places[k], rows, name, type);
      return { answers, kept: replaces === undefined ? undefined : keptRows(places[k], rows, answers.valid) };
    });
    if (writer.writeRows && columns.every(({ kept }) => !kept)) {
      const answers = columns.map((column) => column.answers);
      return writer.writeRows(rows, answers);
    }
    let first = 0;
    for (const part of parts) {
      const from = first,
        end = first + part.rows;
      const answers = columns.map(({ answers: { values, valid, spellings }, kept }, k): AnswerValues => {
        const own = { values: values.subarray(from, end), valid: valid?.subarray(from, end), spellings },
          keptHere = kept?.subarray(from, end);
        return keptHere?.includes(1)
          ? this.#keep(own, part, keptHere, fields[k], (row) => batch.nameOf(from + row))
          : own;
      });
      await writer.write(part, answers);
      first = end;
    }
  }

  #keep(
    answers: AnswerValues,
    part: P,
    kept: Uint8Array,
    { name, type, replaces }: AnswerField,
    nameOf: (row: number) => string,
  ): AnswerValues {
    const old = this.#table.oldColumn(part, replaces!),
      field = this.#table.fields[replaces!],
      isId = type === 'uint64' || type === 'int64';
    if (!old || (isId && !holdsIds(field)))
      throw new TableError(
        'BAD_FORMAT',
        `column ${name} holds ${field.typeName}, whose old values cannot be kept: rename it`,
      );
    return keepValues(answers, old, kept, { name, type, nameOf });
  }
}
