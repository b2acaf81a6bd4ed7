/**
 * Checks the checksums of the pages of a Parquet file, which DuckDB does not. A file has them if its writer
 * was told to, or is parquet-mr, Spark's writer. Source: apache/parquet-format, README.md ("Checksumming")
 * and src/main/thrift/parquet.thrift (PageHeader): the CRC-32 of the bytes of a page as they are stored,
 * without its header.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { TableError } from '../../base/errors.ts';
import { listOf, numberOf, type ParquetColumn, type ParquetFooter } from './parquet-footer.ts';
import { readLeadingThrift, type ThriftStruct } from './thrift.ts';

/** Headers are shorter, but for those with statistics of very long texts. */
const HEADER_BYTES = 2 ** 16,
  MAX_HEADER_BYTES = 2 ** 24;
const BYTES_AT_ONCE = 2 ** 20;

/** The place of a page in its file. */
interface PageHeader {
  /** The number of bytes of the header. */
  length: number;
  /** The number of bytes of the page. */
  size: number;
  /** undefined if the page has none. */
  crc: number | undefined;
}

/** Checks the pages of some columns, a row group at a time. */
export class PageChecks {
  readonly #file: FileHandle;
  readonly #footer: ParquetFooter;
  readonly #fields: readonly number[];
  #group = 0;
  #checked = 0;

  constructor(file: FileHandle, footer: ParquetFooter, fields: readonly number[]) {
    this.#file = file;
    this.#footer = footer;
    this.#fields = fields;
  }

  /**
   * Checks all pages that hold one of the first `rows` rows, as far as they are not checked yet.
   * @throws TableError BAD_FORMAT for a page that is damaged.
   */
  async until(rows: number): Promise<void> {
    const { groupRows } = this.#footer;
    while (this.#checked < rows && this.#group < groupRows.length) {
      await this.#checkGroup(this.#group);
      this.#checked += groupRows[this.#group++];
    }
  }

  async #checkGroup(group: number): Promise<void> {
    const { metadata, columns, start } = this.#footer,
      groups = listOf(metadata, 4).items as ThriftStruct[],
      chunks = listOf(groups[group], 1).items as ThriftStruct[];
    for (const field of this.#fields) {
      const column = columns[field];
      for (const chunk of chunks.slice(column.leaf, column.leaf + column.leaves))
        await checkChunk(this.#file, start, chunk.get(3)!.value as ThriftStruct, () => nameOf(column, group));
    }
  }
}

const nameOf = ({ name }: ParquetColumn, group: number): string =>
  `column ${JSON.stringify(name)}, row group ${group + 1}`;

async function checkChunk(
  file: FileHandle,
  dataEnd: number,
  metadata: ThriftStruct,
  name: () => string,
): Promise<void> {
  // A dictionary comes first. Some writers give it the offset 0 if there is none.
  const offsets = [9, 11].filter((id) => metadata.has(id)).map((id) => numberOf(metadata, id)),
    start = Math.min(...offsets.filter((offset) => offset > 0)),
    end = start + numberOf(metadata, 7);
  const damaged = (why: string): TableError => new TableError('BAD_FORMAT', `${name()} is damaged: ${why}`);
  if (!(end <= dataEnd)) throw damaged('its pages are not before the footer');
  const memory = Buffer.allocUnsafe(BYTES_AT_ONCE);
  for (let at = start; at < end;) {
    const header = await readHeader(file, at, end);
    if (!header) throw damaged(`no page begins at byte ${at}`);
    // A writer gives all pages of a file a checksum, or none.
    if (header.crc === undefined) return;
    at += header.length;
    if (header.size > end - at) throw damaged(`the page at byte ${at} does not end where the column ends`);
    let crc = 0;
    for (const pageEnd = at + header.size; at < pageEnd;) {
      const { bytesRead } = await file.read(memory, 0, Math.min(memory.length, pageEnd - at), at);
      if (bytesRead === 0) throw damaged('the file became shorter while it was read');
      crc = crc32(memory.subarray(0, bytesRead), crc);
      at += bytesRead;
    }
    if (crc !== header.crc)
      throw damaged(`the checksum of the page that ends at byte ${at} is wrong: get the file anew`);
  }
}

/** Reads the header of a page; undefined if there is none. */
async function readHeader(file: FileHandle, at: number, end: number): Promise<PageHeader | undefined> {
  for (let most = HEADER_BYTES; most <= MAX_HEADER_BYTES; most *= 16) {
    const wanted = Math.min(most, end - at),
      { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, at);
    try {
      const { fields, length } = readLeadingThrift(buffer.subarray(0, bytesRead)),
        crc = fields.get(4)?.value;
      return {
        length,
        size: numberOf(fields, 3),
        crc: typeof crc === 'bigint' ? Number(crc & 0xffffffffn) : undefined,
      };
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
    }
    if (wanted < most) return undefined;
  }
  return undefined;
}
