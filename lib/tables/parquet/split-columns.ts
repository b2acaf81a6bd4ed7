/**
 * Reads columns of integers in the encoding BYTE_STREAM_SPLIT, which DuckDB reads for floats only, through
 * hyparquet. Source: apache/parquet-format, Encodings.md ("Byte Stream Split") and parquet.thrift.
 */
import type { FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { AsyncBuffer, Compressors, FileMetaData, parquetRead } from 'hyparquet';
import { TableError } from '../../base/errors.ts';
import { decodeLz4 } from '../../compression/lz4-frame.ts';
import { loadZstd } from '../../compression/zstd.ts';
import type { NumberArray, NumberColumn } from '../columnar/column.ts';
import { listOf, numberOf, type ParquetFooter } from './parquet-footer.ts';
import type { ThriftStruct } from './thrift.ts';

const PACKAGE = 'hyparquet';
/** In the enum `Encoding`. */
const BYTE_STREAM_SPLIT = 9n;
/** In the enum `Type`. */
const INT32 = 1,
  INT64 = 2;
/** Pages are much smaller: about 1 MB. */
const MAX_PAGE_BYTES = 2 ** 28;

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** Returns whether a column is one of integers in this encoding, and not nested. */
export function isSplitColumn({ metadata, columns }: ParquetFooter, field: number): boolean {
  const { leaf, elements } = columns[field];
  if (elements > 1) return false;
  return (listOf(metadata, 4).items as ThriftStruct[]).some((group) => {
    const chunk = (listOf(group, 1).items[leaf] as ThriftStruct).get(3)!.value as ThriftStruct,
      type = numberOf(chunk, 1),
      encodings = chunk.get(2)?.value;
    return (
      (type === INT32 || type === INT64) &&
      typeof encodings === 'object' &&
      'items' in encodings &&
      encodings.items.includes(BYTE_STREAM_SPLIT)
    );
  });
}

/** Reads columns of one file, a row group at a time. */
export class SplitColumns {
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #compressors: Compressors;
  readonly #read: typeof parquetRead;

  private constructor(
    file: AsyncBuffer,
    metadata: FileMetaData,
    compressors: Compressors,
    read: typeof parquetRead,
  ) {
    this.#file = file;
    this.#metadata = metadata;
    this.#compressors = compressors;
    this.#read = read;
  }

  /** @throws TableError PACKAGE_MISSING; errors of the package. */
  static async open(handle: FileHandle): Promise<SplitColumns> {
    const { parquetMetadataAsync, parquetRead: read } = await import('hyparquet').catch((cause: unknown) => {
      throw new TableError(
        'PACKAGE_MISSING',
        `integers in the encoding BYTE_STREAM_SPLIT need the package ${PACKAGE}, which could not be loaded; to install it: npm install ${PACKAGE}`,
        { cause },
      );
    });
    const file = await bufferOf(handle),
      unzstd = await loadZstd();
    const bounded =
      (decompress: Decompress): Decompress =>
      // A page cannot be larger than what its header says, and that is bounded.
      (bytes, size) =>
        decompress(bytes, requireSize(size));
    return new SplitColumns(
      file,
      await parquetMetadataAsync(file),
      {
        GZIP: bounded((bytes, size) => gunzipSync(bytes, { maxOutputLength: Math.max(1, size) })),
        BROTLI: bounded((bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, size) })),
        ZSTD: bounded(unzstd),
        LZ4_RAW: bounded(decodeLz4),
      },
      read,
    );
  }

  /** Reads the values of a column in the rows of one row group. */
  async read(name: string, firstRow: number, rows: number, isUnsigned: boolean): Promise<NumberColumn> {
    const found = new Array<unknown>(rows);
    let count = 0;
    await this.#read({
      file: this.#file,
      metadata: this.#metadata,
      compressors: this.#compressors,
      columns: [name],
      rowStart: firstRow,
      rowEnd: firstRow + rows,
      onChunk({ columnData, rowStart }) {
        // A chunk may begin before the rows that are wanted, and end after them.
        for (let k = 0; k < columnData.length; k++) {
          const row = rowStart + k - firstRow;
          if (row < 0 || row >= rows) continue;
          found[row] = columnData[k];
          count++;
        }
      },
    });
    if (count !== rows)
      throw new Error(`column ${JSON.stringify(name)} has ${count} values instead of ${rows}`);
    return toColumn(found, isUnsigned);
  }
}

/** Returns the values from one row to another. */
export const sliceOf = ({ values, validity }: NumberColumn, from: number, end: number): NumberColumn => ({
  kind: 'number',
  values: values.subarray(from, end),
  validity: validity && { ...validity, offset: validity.offset + from },
});

function toColumn(found: readonly unknown[], isUnsigned: boolean): NumberColumn {
  const rows = found.length,
    bits = new Uint8Array(Math.ceil(rows / 8)),
    isBig = found.some((value) => typeof value === 'bigint');
  let nulls = 0;
  for (let row = 0; row < rows; row++)
    if (found[row] === null || found[row] === undefined) nulls++;
    else bits[row >> 3] |= 1 << (row & 7);
  let values: NumberArray;
  if (isBig) {
    const big = isUnsigned ? new BigUint64Array(rows) : new BigInt64Array(rows);
    for (let row = 0; row < rows; row++) big[row] = (found[row] as bigint | null | undefined) ?? 0n;
    values = big;
  } else {
    const small = isUnsigned ? new Uint32Array(rows) : new Int32Array(rows);
    for (let row = 0; row < rows; row++) small[row] = (found[row] as number | null | undefined) ?? 0;
    values = small;
  }
  return { kind: 'number', values, validity: nulls > 0 ? { bits, offset: 0 } : undefined };
}

function requireSize(size: number): number {
  if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new Error(`a page of ${size} bytes is too large`);
  return size;
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) throw new Error('the file became shorter while it was read');
        done += bytesRead;
      }
      return bytes.buffer;
    },
  };
}
