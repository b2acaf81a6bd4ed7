/**
 * Reads a `.npz` archive as a table: its arrays with the same number of rows are columns.
 * Source: NumPy, `numpy.savez`.
 */
import { TableError } from '../../base/errors.ts';
import type { ColumnarReader, ColumnValues, TableField, TablePart } from '../columnar/column.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import type { FileReader } from '../files/file-reader.ts';
import { type ArrayColumn, columnsOfArray, fieldEntry, toTableField } from './array-columns.ts';
import { ArrayRows } from './array-rows.ts';
import { decodeItems } from './item-columns.ts';
import { type NpyHeader, npyHeaderBytes, PREFIX_BYTES, readNpyHeader } from './npy-header.ts';
import { zipContent } from './zip-content.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

const SUFFIX = '.npy';
const MAX_PART_ROWS = 2 ** 18;

/** An array of the archive. */
interface NpzArray {
  name: string;
  entry: ZipEntry;
  header: NpyHeader;
}

/** A column of the table. */
export interface NpzColumn {
  field: TableField;
  /** The array that holds it; undefined if its header cannot be read. */
  array?: NpzArray;
  column?: ArrayColumn;
  /** Whether it is an array of the archive as a whole, and not a part of one. */
  isWhole: boolean;
  entry: ZipEntry;
}

/** Reads a `.npz` archive. */
export class NpzReader implements ColumnarReader {
  readonly #open: () => Promise<FileReader>;
  #archive: FileReader | undefined;
  #sources: ArrayRows[] = [];
  /** All files of the archive. Known after `open`. */
  entries: readonly ZipEntry[] = [];
  /** All columns. Known after `open`. */
  columns: readonly NpzColumn[] = [];

  constructor(open: () => Promise<FileReader>) {
    this.#open = open;
  }

  /** The archive. Known after `open`. */
  get archive(): FileReader {
    return this.#archive!;
  }

  async open(): Promise<readonly TableField[]> {
    const archive = (this.#archive = await this.#open());
    this.entries = await readZipDirectory(archive);
    const columns: NpzColumn[] = [];
    for (const entry of this.entries) {
      if (!entry.name.endsWith(SUFFIX)) continue;
      const name = entry.name.slice(0, -SUFFIX.length);
      try {
        const array = { name, entry, header: await this.#readHeader(entry) };
        columns.push(wholeColumn(array));
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        // Other arrays may be read all the same.
        columns.push({
          field: { name, type: { kind: 'other' }, typeName: `an array that is not read (${error.message})` },
          isWhole: true,
          entry,
        });
      }
    }
    if (columns.length === 0) throw new TableError('BAD_FORMAT', 'the archive holds no NumPy array');
    this.columns = columns.length === 1 ? [...columns, ...partsOf(columns[0])] : columns;
    return this.columns.map(({ field }) => field);
  }

  async #readHeader(entry: ZipEntry): Promise<NpyHeader> {
    const start = new ByteQueue(zipContent(this.archive, entry));
    try {
      const bytes = npyHeaderBytes(await start.peek(PREFIX_BYTES));
      const header = readNpyHeader(await start.take(bytes));
      const expected = header.shape.reduce((product, size) => product * size, header.type.bytes);
      if (header.dataOffset + expected !== entry.bytes)
        throw new TableError(
          'BAD_FORMAT',
          `the NumPy array is broken: it has ${entry.bytes} bytes of ${header.dataOffset + expected}`,
        );
      return header;
    } finally {
      await start.close();
    }
  }

  /**
   * Returns the columns for an output in another format: the parts of the only array, otherwise all arrays.
   *
   * @throws TableError BAD_FORMAT if one of them cannot be read.
   */
  exportedColumns(): readonly (NpzColumn & { column: ArrayColumn })[] {
    const parts = this.columns.filter(({ isWhole }) => !isWhole);
    return (parts.length > 0 ? parts : this.columns).map((own) => {
      const { column } = own;
      if (!column)
        throw new TableError(
          'BAD_FORMAT',
          `column ${own.field.name} holds ${own.field.typeName}, which only .npz can hold`,
        );
      return { ...own, column };
    });
  }

  async *parts(wanted: readonly number[]): AsyncGenerator<TablePart> {
    const columns = wanted.map((k) => this.columns[k]);
    for await (const { rows, places } of this.itemRows(columns))
      yield {
        rows,
        columns: columns.map(({ column }, k): ColumnValues =>
          decodeItems(column!.type, { ...places[k], offset: column!.offset }, rows),
        ),
      };
  }

  /** Yields the rows of some columns, and where their items are. */
  async *itemRows(
    columns: readonly NpzColumn[],
  ): AsyncGenerator<{ rows: number; places: { bytes: Uint8Array; stride: number }[] }> {
    const arrays = [...new Set(columns.map(({ array }) => array!))];
    // A table of which no column is read has as many rows as all of its arrays.
    const counted =
      arrays.length > 0
        ? arrays
        : this.columns.flatMap(({ array, isWhole }) => (array && isWhole ? [array] : []));
    const lengths = counted
      .filter(({ header }) => header.shape.length > 0)
      .map(({ header }) => header.shape[0]);
    if (lengths.some((length) => length !== lengths[0]))
      throw new TableError(
        'BAD_FORMAT',
        `the arrays have different lengths: ${counted.map(({ name, header }) => `${name} ${header.shape[0] ?? 'none'}`).join(', ')}`,
      );
    this.#sources = arrays.map(
      ({ header, entry }) =>
        new ArrayRows(header, (offset) => new ByteQueue(zipContent(this.archive, entry, offset))),
    );
    const rows = lengths[0] ?? 0,
      partRows = Math.min(MAX_PART_ROWS, ...this.#sources.map((source) => source.partRows));
    for (let done = 0; done < rows; done += partRows) {
      const count = Math.min(partRows, rows - done),
        bytes: Uint8Array[] = [];
      for (const source of this.#sources) bytes.push(await source.take(count));
      yield {
        rows: count,
        places: columns.map(({ array }) => {
          const k = arrays.indexOf(array!);
          return { bytes: bytes[k], stride: this.#sources[k].rowBytes };
        }),
      };
    }
    for (const source of this.#sources) await source.checkEnd();
  }

  async close(): Promise<void> {
    for (const source of this.#sources) await source.close();
    await this.#archive?.close();
  }
}

/** Returns the column of a whole array. The rows of a 2-D array are lists. */
function wholeColumn(array: NpzArray): NpzColumn {
  const { name, header, entry } = array,
    { type, shape } = header;
  const [, ...others] = shape;
  if (shape.length === 0 || !type.item)
    return {
      field: { name, type: { kind: 'other' }, typeName: shape.length === 0 ? 'a single value' : 'records' },
      array,
      isWhole: true,
      entry,
    };
  const item = { ...type.item, shape: others },
    column: ArrayColumn = {
      name,
      offset: 0,
      bytes: others.reduce((product, size) => product * size, type.bytes),
      type: item,
      entry: fieldEntry(name, item.spelling),
    };
  return { field: toTableField(column), array, column, isWhole: true, entry };
}

/**
 * Returns the parts of the only array, as in a `.npy` file: the axes of points, and the fields of records.
 */
function partsOf({ array, entry, field }: NpzColumn): NpzColumn[] {
  const isParted =
    array !== undefined && (array.header.shape.length === 2 || array.header.type.fields !== undefined);
  if (!isParted) return [];
  return columnsOfArray(array.header, field.name)
    .filter(({ name }) => name !== '' && name !== field.name)
    .map((column) => ({ field: toTableField(column), array, column, isWhole: false, entry }));
}
