/** Imports DuckDB, which decodes Parquet, and turns its vectors into columns. */
import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBType,
  DuckDBVector,
} from '@duckdb/node-api';
import { TableError } from '../../base/errors.ts';
import type { ColumnType, ColumnValues, IdType, NumberArray, Validity } from '../columnar/column.ts';

const PACKAGE = '@duckdb/node-api';

/** A connection to a database in memory. */
export interface DuckDB {
  connection: DuckDBConnection;
  close(): void;
}

/**
 * Opens a database that neither reads the network nor keeps anything.
 *
 * @throws TableError PACKAGE_MISSING if the package is not installed.
 */
export async function openDuckDB(temporaryFolder: string): Promise<DuckDB> {
  let create: typeof DuckDBInstance.create;
  try {
    const { DuckDBInstance: Instance } = await import('@duckdb/node-api');
    create = (path, options) => Instance.create(path, options);
  } catch (error) {
    throw new TableError(
      'PACKAGE_MISSING',
      `Parquet needs the package ${PACKAGE}, which could not be loaded; to install it: npm install ${PACKAGE}`,
      { cause: error },
    );
  }
  const instance = await create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: 'true',
    temp_directory: temporaryFolder,
    memory_limit: '512MB',
    threads: '2',
  });
  const connection = await instance.connect();
  return {
    connection,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The IDs of DuckDB's types. They are part of its C interface and never change. */
const Type = {
  boolean: 1,
  tinyint: 2,
  bigint: 5,
  utinyint: 6,
  ubigint: 9,
  float: 10,
  double: 11,
  hugeint: 16,
  varchar: 17,
  blob: 18,
  decimal: 19,
  list: 24,
  struct: 25,
  uhugeint: 32,
  array: 33,
} as const;
/** Types whose values are shown as text: timestamps, dates, times, UUIDs. */
const SHOWN = new Set<number>([Type.boolean, 12, 13, 14, 20, 21, 22, 27, 30, 31, 39]);

/** The parts of DuckDB's types and vectors that are read here. */
interface AnyType {
  typeId: number;
  scale?: number;
  valueType?: DuckDBType;
  entryNames?: readonly string[];
  entryTypes?: readonly DuckDBType[];
}

interface AnyVector {
  itemCount: number;
  type: DuckDBType;
  items?: NumberArray;
  dataView?: DataView;
  validity: { data: BigUint64Array | null; offset: number };
  entryData?: BigUint64Array;
  childData?: DuckDBVector;
  entryVectors?: readonly DuckDBVector[];
  getItem(i: number): unknown;
}

/** Returns what a column of a type can be used as. */
export function vectorTypeOf(type: DuckDBType): ColumnType {
  const { typeId, scale = 0, valueType, entryNames = [], entryTypes = [] } = type as unknown as AnyType;
  if (typeId >= Type.tinyint && typeId <= Type.ubigint) return { kind: 'number', isInteger: true };
  if (typeId === Type.float || typeId === Type.double) return { kind: 'number', isInteger: false };
  if (typeId === Type.hugeint) return { kind: 'decimal', scale: 0 };
  if (typeId === Type.decimal) return { kind: 'decimal', scale };
  if (typeId === Type.varchar || typeId === Type.blob) return { kind: 'text' };
  if (typeId === Type.list || typeId === Type.array) return { kind: 'list', item: vectorTypeOf(valueType!) };
  if (typeId === Type.struct)
    return {
      kind: 'struct',
      fields: entryNames.map((name, k) => ({ name, type: vectorTypeOf(entryTypes[k]) })),
    };
  return { kind: SHOWN.has(typeId) ? 'shown' : 'other' };
}

/** Returns the type of IDs that a type is. */
export function vectorIdTypeOf({ typeId }: DuckDBType): IdType | undefined {
  return (typeId as number) === Type.ubigint
    ? 'uint64'
    : (typeId as number) === Type.bigint
      ? 'int64'
      : (typeId as number) === Type.varchar
        ? 'string'
        : undefined;
}

/** Returns the columns of a chunk. Their arrays are copies of the chunk's memory. */
export const columnsOfChunk = (chunk: DuckDBDataChunk): ColumnValues[] =>
  Array.from({ length: chunk.columnCount }, (_, k) => toColumn(chunk.getColumnVector(k)));

function toColumn(own: DuckDBVector): ColumnValues {
  const vector = own as unknown as AnyVector,
    { typeId, scale = 0, entryNames = [] } = vector.type as unknown as AnyType,
    validity = toValidity(vector.validity);
  if (typeId >= Type.tinyint && typeId <= Type.double)
    return { kind: 'number', values: vector.items!, validity };
  if (typeId === Type.decimal || typeId === Type.hugeint)
    return { kind: 'decimal', ...toWords(vector.dataView!, vector.itemCount), scale, validity };
  if (typeId === Type.list) {
    const words = new Uint32Array(
      vector.entryData!.buffer,
      vector.entryData!.byteOffset,
      4 * vector.itemCount,
    );
    const starts = new Uint32Array(vector.itemCount),
      lengths = new Uint32Array(vector.itemCount);
    for (let i = 0; i < vector.itemCount; i++) {
      starts[i] = words[4 * i];
      lengths[i] = words[4 * i + 2];
    }
    return { kind: 'list', starts, lengths, values: toColumn(vector.childData!), validity };
  }
  if (typeId === Type.struct)
    return {
      kind: 'struct',
      fields: vector.entryVectors!.map((entry, k) => ({ name: entryNames[k], values: toColumn(entry) })),
      validity,
    };
  return { kind: 'text', length: vector.itemCount, textAt: (i) => shown(vector.getItem(i)), validity };
}

function shown(item: unknown): string {
  const { bytes } = item as { bytes?: Uint8Array };
  return bytes === undefined
    ? String(item)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function toValidity({ data, offset }: AnyVector['validity']): Validity | undefined {
  return data ? { bits: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset } : undefined;
}

/** Returns integers of 2, 4, 8 or 16 bytes as words. */
function toWords(view: DataView, count: number): { words: Uint32Array; width: number } {
  const bytes = count === 0 ? 4 : view.byteLength / count;
  if (bytes === 2)
    return {
      words: new Uint32Array(Int32Array.from(new Int16Array(view.buffer, view.byteOffset, count)).buffer),
      width: 1,
    };
  return { words: new Uint32Array(view.buffer, view.byteOffset, view.byteLength / 4), width: bytes / 4 };
}
