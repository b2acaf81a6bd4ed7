/** A table of a columnar format: collects its parts into batches, and writes them with columns of answers. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TableError } from '../../base/errors.ts';
import { checkColumns } from '../check-columns.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { ColumnChoice, TableColumns, TableSink, TableSource } from '../table.ts';
import type { MissingText } from '../missing.ts';
import { AnswerSink } from './answer-sink.ts';
import type { ColumnarReader, ColumnarWriter, IdType, TableField, TablePart } from './column.ts';
import { checkIdField } from './column-ids.ts';
import { PointColumnReader } from './column-points.ts';
import { type BoundColumn, type BoundColumns, ColumnarBatch, textsOfParts } from './columnar-batch.ts';

/** One table of a columnar format. */
export interface ColumnarFormat<P extends TablePart = TablePart> {
  reader: ColumnarReader<P>;
  /**
   * Makes the writer of the same rows. Called once, after the reader is open.
   *
   * @param missing The text for a missing answer, if the output is text.
   */
  writerTo(out: ByteSink, missing?: MissingText): ColumnarWriter<P>;
}

/** Options of all columnar tables. */
export interface ColumnarTableOptions {
  /** A batch ends with the first part at which it has this many rows, or sooner. @default 1_000_000 */
  batchRows?: number;
  /** The type of IDs. @default the type of the column that is replaced, if it is one of them; else uint64 */
  idType?: IdType;
  signal?: AbortSignal;
}

/** How long a batch may block other work. */
const TURN_MS = 20;

/** A table in one of the columnar formats. */
export class ColumnarTable<P extends TablePart = TablePart> implements TableSource<ColumnarBatch<P>> {
  /** Every columnar format names its columns. */
  readonly hasHeader = true;
  readonly #load: () => Promise<ColumnarFormat<P>>;
  readonly #choice: ColumnChoice;
  readonly #options: ColumnarTableOptions;
  #format: ColumnarFormat<P> | undefined;
  #fields: readonly TableField[] = [];
  /** The columns of a part, by their index in the table. */
  #read: number[] = [];
  #bound: BoundColumns | undefined;
  /** Whether the choice of columns needs the cells of the first batch. */
  #dependsOnCells = false;

  /** @param load Imports the format and makes its reader. Called when the table is read. */
  constructor(load: () => Promise<ColumnarFormat<P>>, choice: ColumnChoice, options: ColumnarTableOptions) {
    this.#load = load;
    this.#choice = choice;
    this.#options = options;
  }

  /** Yields at least one batch, so that a table without rows gets the columns of its answers, too. */
  async *batches(): AsyncGenerator<ColumnarBatch<P>> {
    const { batchRows = 1_000_000, signal } = this.#options;
    const { reader } = (this.#format = await this.#load());
    this.#fields = await reader.open();
    const bind = this.#choose();
    let turn = performance.now(),
      first: P[] = [], // the parts of the first batch, if the choice of columns depends on their cells
      rows = 0, // of the current batch
      rowsBefore = 0,
      batch: ColumnarBatch<P> | undefined;
    const begin = (capacity: number): ColumnarBatch<P> => {
      this.#bound ??= bind(first);
      return new ColumnarBatch(capacity, rowsBefore + 1, this.#bound);
    };
    const add = async (part: P): Promise<void> => {
      if (performance.now() - turn > TURN_MS) {
        await nextTurn();
        signal?.throwIfAborted();
        turn = performance.now();
      }
      batch!.add(part);
    };
    const end = async (): Promise<ColumnarBatch<P>> => {
      batch ??= begin(rows);
      for (const part of first) await add(part);
      const ended = batch;
      ended.end();
      rowsBefore += rows;
      rows = 0;
      first = [];
      batch = undefined;
      return ended;
    };
    if (!this.#dependsOnCells) this.#bound = bind([]);
    for await (const part of reader.parts(this.#read)) {
      signal?.throwIfAborted();
      if (part.rows === 0) continue;
      if (batch && part.rows > batch.room) yield await end();
      rows += part.rows;
      if (this.#bound) {
        const most = Math.min(batchRows - 1 + part.rows, (reader.rowCount ?? Infinity) - rowsBefore);
        batch ??= begin(Math.max(part.rows, most));
        await add(part);
      } else first.push(part);
      if (rows >= batchRows) yield await end();
    }
    if (rows > 0 || rowsBefore === 0) yield await end();
  }

  /**
   * Finds the columns that must be read. A choice that depends on cells is made for both outcomes, because no
   * cells are read yet.
   *
   * @returns Makes the choice with the first parts.
   */
  #choose(): (parts: readonly P[]) => BoundColumns {
    const found = this.#fields.map(({ name }) => name),
      asked: string[] = [];
    const noCells = (name: string): string[] => (asked.push(name), []);
    const choices = [this.#choice(found, noCells)];
    const dependsOnCells = (this.#dependsOnCells = asked.length > 0);
    if (dependsOnCells) choices.push(this.#choice(found, () => [UNUSUAL_CELL]));
    else checkColumns(choices[0], found);
    const names = choices.flatMap(({ points = [], ids = [], texts = [], outputs }) => [
      ...points.flat(),
      ...ids,
      ...texts,
      ...outputs,
    ]);
    this.#read = [...new Set([...names, ...asked])].flatMap((name) => {
      const index = this.#indexOf(name);
      return index < 0 || this.#fields[index].type.kind === 'other' ? [] : [index];
    });
    if (!dependsOnCells) {
      const bound = this.#bind(choices[0]);
      return () => bound;
    }
    return (parts) => {
      const columns = this.#choice(found, (name) => textsOfParts(parts, this.#placeOf(name)));
      checkColumns(columns, found);
      return this.#bind(columns);
    };
  }

  #bind(columns: TableColumns): BoundColumns {
    const { points = [], ids = [], texts = [] } = columns;
    const bound = (name: string): BoundColumn => {
      const field = this.#fields[this.#indexOf(name)],
        place = this.#placeOf(name);
      if (place < 0)
        throw new TableError('BAD_FORMAT', `column ${name} holds ${field.typeName}, which is not read`);
      return { field, place };
    };
    return {
      columns,
      points: points.map((names) => {
        const own = names.map((name) => this.#fields[this.#indexOf(name)]);
        return new PointColumnReader(
          own,
          names.map((name) => this.#placeOf(name)),
        );
      }),
      ids: ids.map((name) => {
        checkIdField(this.#fields[this.#indexOf(name)]);
        return bound(name);
      }),
      texts: texts.map((name) => (this.#indexOf(name) < 0 ? undefined : bound(name))),
    };
  }

  /** Returns the index of a column in the table, or -1. @throws TableError if it occurs twice. */
  #indexOf(name: string): number {
    const index = this.#fields.findIndex((field) => field.name === name);
    if (index >= 0 && this.#fields.findLastIndex((field) => field.name === name) !== index)
      throw new TableError('BAD_FORMAT', `column ${name} occurs more than once`);
    return index;
  }

  /** Returns the place of a column among the columns of a part, or -1. */
  #placeOf(name: string): number {
    return this.#read.indexOf(this.#indexOf(name));
  }

  /**
   * Returns a sink that writes the same rows with their answers.
   *
   * @param missing The text for a missing answer, if the output is text.
   */
  sinkTo(out: ByteSink, missing?: MissingText): TableSink<ColumnarBatch<P>> {
    let sink: AnswerSink<P> | undefined;
    return {
      write: async (batch, answers) => {
        sink ??= new AnswerSink<P>({
          fields: this.#fields,
          idType: this.#options.idType,
          oldColumn: (part, index) => part.columns[this.#read.indexOf(index)],
          createWriter: () => this.#format!.writerTo(out, missing),
        });
        const { parts, rows, columns } = batch;
        await sink.write(
          { parts, rows, outputs: columns.outputs, nameOf: (row) => batch.nameOf(row) },
          answers,
        );
      },
      finish: async () => sink?.finish(),
    };
  }

  /** Frees what the table holds. */
  async close(): Promise<void> {
    await this.#format?.reader.close();
  }
}

/** A cell that is not a status. */
const UNUSUAL_CELL = '?';
