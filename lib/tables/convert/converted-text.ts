/** A text table whose output has another format. */
import type { ByteSink } from '../files/byte-streams.ts';
import type { TableSink, TableSource } from '../table.ts';
import type { MissingText } from '../missing.ts';
import { TextBatch } from '../text/text-batch.ts';
import type { TextFormat } from '../text/text-format.ts';
import type { TextTable } from '../text/text-table.ts';

/** Writes the rows of a text table in another format. */
export interface TextConverter {
  sinkTo(out: ByteSink, missing?: MissingText): TableSink<TextBatch>;
}

/** A text table that is converted. */
export class ConvertedText implements TableSource<TextBatch> {
  readonly #table: TextTable;
  readonly #format: TextFormat;
  readonly #load: () => Promise<TextConverter>;
  readonly #close: () => Promise<void>;
  #converter: TextConverter | undefined;

  /**
   * @param load Finds the columns of the table. Called before the first batch.
   * @param close Frees what the input needs.
   */
  constructor(
    table: TextTable,
    format: TextFormat,
    load: () => Promise<TextConverter>,
    close: () => Promise<void>,
  ) {
    this.#table = table;
    this.#format = format;
    this.#load = load;
    this.#close = close;
  }

  get hasHeader(): boolean {
    return this.#table.hasHeader;
  }

  get rowName(): ((row: number) => string) | undefined {
    return this.#table.rowName;
  }

  /** Yields at least one batch, so that a table without rows gets the columns of its answers, too. */
  async *batches(): AsyncGenerator<TextBatch> {
    this.#converter = await this.#load();
    let isEmpty = true;
    for await (const batch of this.#table.batches()) {
      isEmpty = false;
      yield batch;
    }
    if (isEmpty) yield new TextBatch(this.#format, [], 1);
  }

  sinkTo(out: ByteSink, missing?: MissingText): TableSink<TextBatch> {
    let sink: TableSink<TextBatch> | undefined;
    return {
      write: (batch, answers) => (sink ??= this.#converter!.sinkTo(out, missing)).write(batch, answers),
      finish: async () => sink?.finish(),
    };
  }

  close(): Promise<void> {
    return this.#close();
  }
}
