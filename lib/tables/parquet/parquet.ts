/** Reads Parquet files through DuckDB, row by row in their order. */
import type { BigIntStats } from 'node:fs';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { type FileHandle, open, rm, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TableError } from '../../base/errors.ts';
import type { ColumnarReader, NumberColumn, TableField, TablePart } from '../columnar/column.ts';
import type { ColumnarFormat } from '../columnar/columnar-table.ts';
import { type ByteSink, ioError } from '../files/byte-streams.ts';
import { makeScratchFolder } from '../files/scratch-folder.ts';
import type { TableInput } from '../files/table-input.ts';
import { columnsOfChunk, vectorTypeOf, type DuckDB, vectorIdTypeOf, openDuckDB } from './duckdb.ts';
import { PageChecks } from './page-checksums.ts';
import { type ParquetFooter, readFooter } from './parquet-footer.ts';
import { ParquetWriter } from './parquet-writer.ts';
import { isSplitColumn, sliceOf, SplitColumns } from './split-columns.ts';

/** A name that DuckDB would take for a pattern. */
const PATTERN = /[*?[\]{}\\]/;

/** DuckDB yields so many rows at once, but for the last ones of a row group. */
const VECTOR_ROWS = 2048;

/** Opens a Parquet file. The footer is read when the reader is opened. */
export async function openParquet(input: TableInput): Promise<ColumnarFormat> {
  const reader = new ParquetReader(input);
  return { reader, writerTo: (out) => reader.writerTo(out) };
}

class ParquetReader implements ColumnarReader {
  readonly #input: TableInput;
  rowCount: number | undefined;
  #file: FileHandle | undefined;
  #footer: ParquetFooter | undefined;
  #duckdb: DuckDB | undefined;
  #folder: string | undefined;
  #path = '';
  /** The file when its footer was read. */
  #opened: BigIntStats | undefined;
  #names: readonly string[] = [];
  #fields: readonly TableField[] = [];
  #from = '';
  /** The chunk that is being fetched. The database must not be closed before. */
  #fetching: Promise<unknown> | undefined;

  constructor(input: TableInput) {
    this.#input = input;
  }

  writerTo(out: ByteSink): ParquetWriter {
    return new ParquetWriter(
      { file: this.#file!, footer: this.#footer!, requireSame: () => this.#requireSame() },
      out,
    );
  }

  async open(): Promise<readonly TableField[]> {
    const { name } = this.#input,
      path = resolve(await this.#input.file());
    this.#file = await open(path, 'r').catch((error: unknown) => {
      throw ioError('read', name, error);
    });
    this.#path = path;
    this.#opened = await this.#file.stat({ bigint: true });
    this.#footer = await this.#check(readFooter(this.#file));
    this.rowCount = this.#footer.groupRows.reduce((sum, count) => sum + count, 0);
    this.#folder = await makeScratchFolder();
    this.#duckdb = await openDuckDB(join(this.#folder, 'spill'));
    this.#from = `read_parquet(${quoted(await this.#plainPath(path), "'")}, hive_partitioning = false)`;
    const result = await this.#try(this.#duckdb.connection.run(`SELECT * FROM ${this.#from} LIMIT 0`));
    this.#names = result.deduplicatedColumnNames();
    const { columns } = this.#footer;
    if (this.#names.length !== columns.length) throw this.#unreadable('its schema is read in two ways');
    return (this.#fields = columns.map((column, k): TableField => {
      const type = result.columnType(k);
      return {
        name: column.name,
        type: vectorTypeOf(type),
        typeName: String(type),
        idType: vectorIdTypeOf(type),
      };
    }));
  }

  /** DuckDB opens the path, not the file that is open here: both must be the same file, unchanged. */
  async #requireSame(): Promise<void> {
    const now = await stat(this.#path, { bigint: true }).catch(() => undefined),
      opened = this.#opened!;
    if (now?.ino !== opened.ino || now.size !== opened.size || now.mtimeNs !== opened.mtimeNs)
      throw new TableError(
        'UNREADABLE',
        `${this.#input.name} has changed while it was read: run the command again`,
      );
  }

  async #plainPath(path: string): Promise<string> {
    if (!PATTERN.test(path)) return path;
    const link = join(this.#folder!, 'table.parquet');
    await symlink(path, link);
    return link;
  }

  async *parts(fields: readonly number[]): AsyncGenerator<TablePart> {
    const split = fields.filter((field) => isSplitColumn(this.#footer!, field));
    if (split.length === 0) yield* this.#decoded(fields);
    else yield* this.#withSplit(fields, split);
  }

  /** Yields rows whose columns DuckDB decodes. */
  async *#decoded(fields: readonly number[]): AsyncGenerator<TablePart> {
    const { groupRows } = this.#footer!;
    if (fields.length === 0) {
      for (const rows of groupRows)
        for (let from = 0; from < rows; from += VECTOR_ROWS)
          yield { rows: Math.min(VECTOR_ROWS, rows - from), columns: [] };
      return;
    }
    const columns = fields.map((field) => quoted(this.#names[field], '"')),
      select = `SELECT ${columns.join(', ')} FROM ${this.#from}`;
    const result = await this.#try(this.#duckdb!.connection.stream(select));
    // The next chunk is decoded in another thread while the rows of this one are used.
    const fetch = (): Promise<DuckDBDataChunk | null> => {
      const fetching = this.#try(result.fetchChunk());
      fetching.catch(() => undefined);
      return (this.#fetching = fetching);
    };
    const pages = new PageChecks(this.#file!, this.#footer!, fields);
    let read = 0;
    for (let fetching = fetch(); ;) {
      const chunk = await fetching;
      if (!chunk || chunk.rowCount === 0) break;
      fetching = fetch();
      read += chunk.rowCount;
      await this.#check(pages.until(read));
      yield { rows: chunk.rowCount, columns: columnsOfChunk(chunk) };
    }
    const rows = this.rowCount;
    if (read !== rows) throw this.#unreadable(`it has ${read} rows, and its footer says ${rows}`);
  }

  /** Adds the columns that DuckDB cannot decode to the others. */
  async *#withSplit(fields: readonly number[], split: readonly number[]): AsyncGenerator<TablePart> {
    const { groupRows, columns } = this.#footer!,
      pages = new PageChecks(this.#file!, this.#footer!, split),
      reader = await this.#try(SplitColumns.open(this.#file!));
    for (const field of split)
      if (
        this.#fields[field].type.kind !== 'number' ||
        columns.some(({ name }, k) => k !== field && name === columns[field].name)
      )
        throw this.#unreadable(
          `column ${JSON.stringify(columns[field].name)} is ${this.#fields[field].typeName} in the encoding BYTE_STREAM_SPLIT, which is read for integers in a column of their own name: write the column in another encoding`,
        );
    let group = -1,
      first = 0,
      at = 0,
      values: NumberColumn[] = [];
    for await (const part of this.#decoded(fields.filter((field) => !split.includes(field)))) {
      // DuckDB ends a part where a row group ends.
      while (group < 0 || at === first + groupRows[group]) {
        first = at;
        const rows = groupRows[++group];
        values = [];
        await this.#check(pages.until(first + rows));
        for (const field of split)
          values.push(
            await this.#try(
              reader.read(columns[field].name, first, rows, this.#fields[field].typeName.startsWith('U')),
            ),
          );
      }
      const from = at - first,
        others = part.columns.values();
      at += part.rows;
      if (at > first + groupRows[group]) throw this.#unreadable('its rows are not those of its row groups');
      yield {
        rows: part.rows,
        columns: fields.map((field) => {
          const k = split.indexOf(field);
          return k < 0 ? others.next().value! : sliceOf(values[k], from, from + part.rows);
        }),
      };
    }
  }

  async #check<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      throw error instanceof TableError
        ? this.#unreadable(error.message)
        : ioError('read', this.#input.name, error);
    }
  }

  async #try<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      if (error instanceof TableError) throw error;
      const why = firstLine(error);
      // The file is whole: only memory is short.
      if (/^out of memory/i.test(why))
        throw new TableError('UNREADABLE', `${this.#input.name} takes too much memory: ${why}`);
      throw this.#unreadable(why);
    }
  }

  #unreadable(why: string): TableError {
    return new TableError('BAD_FORMAT', `${this.#input.name} cannot be read as Parquet: ${why}`);
  }

  async close(): Promise<void> {
    const duckdb = this.#duckdb,
      file = this.#file,
      folder = this.#folder;
    this.#duckdb = this.#file = this.#folder = undefined;
    await this.#fetching?.catch(() => undefined);
    duckdb?.close();
    await file?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Quotes a text or a name of SQL. */
const quoted = (text: string, mark: '"' | "'"): string => mark + text.replaceAll(mark, mark + mark) + mark;

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 300);
