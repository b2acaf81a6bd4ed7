/**
 * Reads the footer of a Parquet file, and makes that of the same file with more columns. All that is not
 * known here stays as it is. Source: apache/parquet-format, README.md and src/main/thrift/parquet.thrift.
 */
import type { FileHandle } from 'node:fs/promises';
import { TableError } from '../../base/errors.ts';
import { readThrift, type ThriftList, type ThriftStruct, ThriftType, type ThriftValue } from './thrift.ts';

/** The bytes at the start and at the end of a file. */
export const MAGIC = Buffer.from('PAR1');
/** Larger than the footers of files with thousands of columns and row groups. */
const MAX_FOOTER_BYTES = 2 ** 28;

/** A column of the table. It may hold several leaves, if it is nested. */
export interface ParquetColumn {
  name: string;
  /** The index of its element in the schema, and the number of its elements. */
  element: number;
  elements: number;
  /** The index of its first leaf, and the number of its leaves. */
  leaf: number;
  leaves: number;
}

/** A footer, and what is read from it. */
export interface ParquetFooter {
  /** The struct `FileMetaData`. */
  metadata: ThriftStruct;
  /** Where the footer starts: all bytes before it are data. */
  start: number;
  columns: readonly ParquetColumn[];
  /** The rows of each row group. */
  groupRows: readonly number[];
}

/** Reads the footer of a file. @throws TableError BAD_FORMAT. */
export async function readFooter(file: FileHandle): Promise<ParquetFooter> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - 8), Math.min(8, size)),
    magic = tail.subarray(4).toString('latin1');
  if (magic === 'PARE') throw new TableError('BAD_FORMAT', 'its footer is encrypted, which is not read');
  if (size < 12 || magic !== 'PAR1')
    throw new TableError(
      'BAD_FORMAT',
      'it does not end as a Parquet file does: it is cut or of another format',
    );
  const length = tail.readUInt32LE(0);
  if (length > size - 12 || length > MAX_FOOTER_BYTES)
    throw new TableError('BAD_FORMAT', `the footer is damaged: its length is ${length}`);
  const start = size - 8 - length;
  return parseFooter(await readAt(file, start, length), start);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) throw new TableError('BAD_FORMAT', 'it became shorter while it was read');
    read += bytesRead;
  }
  return bytes;
}

function parseFooter(bytes: Uint8Array, start: number): ParquetFooter {
  const metadata = readThrift(bytes),
    schema = listOf(metadata, 2),
    groups = listOf(metadata, 4).items as ThriftStruct[];
  const columns = columnsOf(schema.items as ThriftStruct[]),
    leaves = columns.reduce((sum, column) => sum + column.leaves, 0);
  const groupRows = groups.map((group) => {
    const chunks = listOf(group, 1).items as ThriftStruct[];
    if (chunks.length !== leaves)
      throw new TableError('BAD_FORMAT', 'the footer is damaged: a row group has another number of columns');
    chunks.forEach(checkChunk);
    return numberOf(group, 3);
  });
  // What the new footer needs is checked before hours of look-ups, not after them.
  if (metadata.has(5)) for (const pair of listOf(metadata, 5).items) textOf(pair as ThriftStruct, 1);
  if (metadata.has(7) && listOf(metadata, 7).items.length !== leaves)
    throw new TableError('BAD_FORMAT', 'the footer is damaged: its orders are of another number of columns');
  if (groupRows.reduce((sum, rows) => sum + rows, 0) !== numberOf(metadata, 3))
    throw new TableError('BAD_FORMAT', 'the footer is damaged: its row groups have another number of rows');
  return { metadata, start, columns, groupRows };
}

function checkChunk(chunk: ThriftStruct): void {
  const metadata = chunk.get(3)?.value;
  if (!(metadata instanceof Map)) throw missing(3);
  numberOf(metadata, 6);
  numberOf(metadata, 7);
}

function columnsOf(elements: readonly ThriftStruct[]): ParquetColumn[] {
  const columns: ParquetColumn[] = [];
  let at = 1,
    leaf = 0;
  const broken = (): TableError => new TableError('BAD_FORMAT', 'the footer is damaged: its schema is wrong');
  const skipTree = (): void => {
    for (let pending = 1; pending > 0; pending--) {
      if (at >= elements.length) throw broken();
      const element = elements[at++],
        children = element.has(5) ? numberOf(element, 5) : 0;
      if (children > elements.length) throw broken();
      if (children === 0) leaf++;
      pending += children;
    }
  };
  while (at < elements.length) {
    const element = at,
      firstLeaf = leaf;
    skipTree();
    columns.push({
      name: textOf(elements[element], 4),
      element,
      elements: at - element,
      leaf: firstLeaf,
      leaves: leaf - firstLeaf,
    });
  }
  if (elements.length === 0 || columns.length !== numberOf(elements[0], 5)) throw broken();
  return columns;
}

const missing = (id: number): TableError =>
  new TableError('BAD_FORMAT', `the footer is damaged: field ${id} is missing`);

/** Returns a list of structs of a struct. */
export function listOf(fields: ThriftStruct, id: number): ThriftList {
  const value = fields.get(id)?.value;
  if (typeof value !== 'object' || !('items' in value) || value.items.some((item) => !(item instanceof Map)))
    throw missing(id);
  return value;
}

/** Returns a whole number of a struct. @throws TableError BAD_FORMAT if it is negative or too large. */
export function numberOf(fields: ThriftStruct, id: number): number {
  const value = fields.get(id)?.value;
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw missing(id);
  return Number(value);
}

/** Returns a text of a struct. */
export function textOf(fields: ThriftStruct, id: number): string {
  const value = fields.get(id)?.value;
  if (!(value instanceof Uint8Array)) throw missing(id);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
}

/** Makes a struct from its fields; undefined stands for a field that is absent. */
export const structOf = (
  fields: Readonly<Record<number, readonly [type: number, value: ThriftValue] | undefined>>,
): ThriftStruct =>
  new Map(
    Object.entries(fields).flatMap(([id, field]) =>
      field ? [[Number(id), { type: field[0], value: field[1] }] as const] : [],
    ),
  );

export const i32 = (value: number): [number, ThriftValue] => [ThriftType.i32, BigInt(value)];
export const i64 = (value: number): [number, ThriftValue] => [ThriftType.i64, BigInt(value)];
export const binaryField = (text: string | Uint8Array): [number, ThriftValue] => [
  ThriftType.binary,
  typeof text === 'string' ? Buffer.from(text) : text,
];
export const structField = (fields: ThriftStruct): [number, ThriftValue] => [ThriftType.struct, fields];
export const listField = (itemType: number, items: ThriftValue[]): [number, ThriftValue] => [
  ThriftType.list,
  { itemType, items },
];
