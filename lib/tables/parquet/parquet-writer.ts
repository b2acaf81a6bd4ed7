/**
 * Writes a Parquet file with columns of answers. The bytes of the input are copied as they are, so that all
 * other columns keep their values, types and encodings; the answers and a new footer come after them.
 */
import type { FileHandle } from 'node:fs/promises';
import { TableError } from '../../base/errors.ts';
import type { AnswerField, AnswerValues, ColumnarWriter, TablePart } from '../columnar/column.ts';
import { withPandasColumns } from '../columnar/pandas-notes.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import { AnswerPages, schemaElement } from './answer-pages.ts';
import { patchArrowSchema } from './arrow-schema-patch.ts';
import {
  binaryField,
  i32,
  i64,
  listField,
  listOf,
  MAGIC,
  numberOf,
  type ParquetFooter,
  structField,
  structOf,
  textOf,
} from './parquet-footer.ts';
import { type ThriftStruct, ThriftType, type ThriftValue, writeThrift } from './thrift.ts';

const COPY_BYTES = 2 ** 22;

/** Writes the rows of a file, in their order, with their answers. */
export class ParquetWriter implements ColumnarWriter {
  readonly #file: FileHandle;
  readonly #footer: ParquetFooter;
  readonly #out: ByteSink;
  #fields: readonly AnswerField[] = [];
  #pages: AnswerPages[] = [];
  /** The row group of the next row, and the number of its rows that are encoded. */
  #group = 0;
  #rows = 0;
  #position: number;
  /** For each row group: the chunks of the answers. */
  readonly #chunks: ThriftStruct[][] = [];

  readonly #requireSame: () => Promise<void>;

  /** @param requireSame Throws if the input has changed since its footer was read. */
  constructor(
    {
      file,
      footer,
      requireSame,
    }: { file: FileHandle; footer: ParquetFooter; requireSame: () => Promise<void> },
    out: ByteSink,
  ) {
    this.#file = file;
    this.#footer = footer;
    this.#requireSame = requireSame;
    this.#out = out;
    this.#position = footer.start;
  }

  async begin(fields: readonly AnswerField[]): Promise<void> {
    this.#fields = fields;
    const { start } = this.#footer;
    for (let from = 0; from < start;) {
      const bytes = Buffer.allocUnsafe(Math.min(COPY_BYTES, start - from)),
        { bytesRead } = await this.#file.read(bytes, 0, bytes.length, from);
      if (bytesRead === 0) throw new TableError('UNREADABLE', 'the input became shorter while it was read');
      await this.#out.write(bytes.subarray(0, bytesRead));
      from += bytesRead;
    }
    this.#beginGroup();
  }

  #beginGroup(): void {
    this.#pages = this.#fields.map(({ name, type }) => new AnswerPages(name, type));
    this.#rows = 0;
  }

  write({ rows }: TablePart, answers: readonly AnswerValues[]): Promise<void> {
    return this.writeRows(rows, answers);
  }

  async writeRows(rows: number, answers: readonly AnswerValues[]): Promise<void> {
    const { groupRows } = this.#footer;
    for (let from = 0; from < rows;) {
      while (this.#rows === groupRows[this.#group]) await this.#endGroup();
      const count = Math.min(rows - from, groupRows[this.#group] - this.#rows),
        end = from + count;
      if (count === rows) answers.forEach((values, k) => this.#pages[k].add(values));
      else
        for (const [k, { values, valid, spellings }] of answers.entries())
          this.#pages[k].add({
            values: values.subarray(from, end),
            valid: valid?.subarray(from, end),
            spellings,
          });
      this.#rows += count;
      from = end;
    }
  }

  async #endGroup(): Promise<void> {
    const chunks: ThriftStruct[] = [];
    for (const pages of this.#pages) {
      const chunk = pages.end();
      chunks.push(structOf({ 2: i64(0), 3: structField(chunk.metadata(this.#position)) }));
      for (const bytes of chunk.pages) await this.#out.write(bytes);
      this.#position += chunk.length;
    }
    this.#chunks.push(chunks);
    this.#group++;
    this.#beginGroup();
  }

  async finish(): Promise<void> {
    const { groupRows } = this.#footer;
    while (this.#group < groupRows.length) {
      if (this.#rows !== groupRows[this.#group])
        throw new TableError('BAD_FORMAT', `the input has fewer rows than its footer says`);
      await this.#endGroup();
    }
    // The answers are for the rows that DuckDB read, and the other columns are bytes that were copied later.
    await this.#requireSame();
    const footer = writeThrift(this.#newMetadata()),
      length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    for (const bytes of [footer, length, MAGIC]) await this.#out.write(bytes);
  }

  #newMetadata(): ThriftStruct {
    const { metadata } = this.#footer,
      changed = new Map(metadata);
    const put = (id: number, [type, value]: readonly [number, ThriftValue]): void =>
      void changed.set(id, { type, value });
    put(2, listField(ThriftType.struct, this.#newSchema()));
    const groups = listOf(metadata, 4).items as ThriftStruct[];
    put(
      4,
      listField(
        ThriftType.struct,
        groups.map((group, k) => this.#newGroup(group, this.#chunks[k])),
      ),
    );
    put(5, listField(ThriftType.struct, this.#newKeyValues()));
    if (metadata.has(7)) {
      const orders = this.#replaceLeaves(listOf(metadata, 7).items, () =>
        structOf({ 1: structField(new Map<number, { type: number; value: ThriftValue }>()) }),
      );
      put(7, listField(ThriftType.struct, orders));
    }
    return changed;
  }

  #newSchema(): ThriftStruct[] {
    const { metadata, columns } = this.#footer,
      elements = listOf(metadata, 2).items as ThriftStruct[];
    const added = this.#fields.filter(({ replaces }) => replaces === undefined),
      root: ThriftStruct = new Map(elements[0]);
    root.set(5, { type: ThriftType.i32, value: i32(columns.length + added.length)[1] });
    const schema = [root];
    columns.forEach(({ element, elements: count }, index) => {
      const field = this.#fields.find(({ replaces }) => replaces === index);
      schema.push(
        ...(field ? [schemaElement(field.name, field.type)] : elements.slice(element, element + count)),
      );
    });
    return [...schema, ...added.map(({ name, type }) => schemaElement(name, type))];
  }

  #newGroup(group: ThriftStruct, chunks: readonly ThriftStruct[]): ThriftStruct {
    const old = listOf(group, 1).items as ThriftStruct[],
      next: ThriftStruct = new Map(group),
      all = this.#replaceLeaves(old, (k) => chunks[k]) as ThriftStruct[];
    const sum = (id: number): number =>
      all.reduce((total, chunk) => total + numberOf(chunk.get(3)?.value as ThriftStruct, id), 0);
    next.set(1, { type: ThriftType.list, value: { itemType: ThriftType.struct, items: all } });
    next.set(2, { type: ThriftType.i64, value: BigInt(sum(6)) });
    if (group.has(6)) next.set(6, { type: ThriftType.i64, value: BigInt(sum(7)) });
    // Its columns are indices of leaves, which may now be others.
    if (this.#fields.some(({ replaces }) => replaces !== undefined)) next.delete(4);
    return next;
  }

  /**
   * Puts one thing for each field in the place of the leaves of the column that it replaces, or at the end.
   */
  #replaceLeaves(leaves: readonly ThriftValue[], valueOf: (field: number) => ThriftValue): ThriftValue[] {
    const next: ThriftValue[] = [];
    this.#footer.columns.forEach(({ leaf, leaves: count }, index) => {
      const field = this.#fields.findIndex(({ replaces }) => replaces === index);
      next.push(...(field >= 0 ? [valueOf(field)] : leaves.slice(leaf, leaf + count)));
    });
    this.#fields.forEach(({ replaces }, field) => {
      if (replaces === undefined) next.push(valueOf(field));
    });
    return next;
  }

  #newKeyValues(): ThriftStruct[] {
    const { metadata, columns } = this.#footer,
      pairs = metadata.has(5) ? (listOf(metadata, 5).items as ThriftStruct[]) : [];
    const patchPandas = (notes: Uint8Array | undefined): Uint8Array =>
      Buffer.from(withPandasColumns(notes && Buffer.from(notes).toString(), this.#fields));
    const next = pairs.flatMap((pair) => {
      const value = pair.get(2)?.value;
      if (!(value instanceof Uint8Array)) return [pair];
      const key = textOf(pair, 1);
      const changed =
        key === 'ARROW:schema'
          ? patchArrowSchema(value, columns.length, this.#fields, patchPandas)
          : key === 'pandas'
            ? patchPandas(value)
            : value;
      return changed === undefined ? [] : [keyValue(key, changed)];
    });
    if (!pairs.some((pair) => textOf(pair, 1) === 'pandas'))
      next.push(keyValue('pandas', patchPandas(undefined)));
    return next;
  }
}

const keyValue = (key: string, value: Uint8Array): ThriftStruct =>
  structOf({ 1: binaryField(key), 2: binaryField(value) });
