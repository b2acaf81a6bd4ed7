/**
 * Reads the rows of a NumPy array in their order, in the order of C. An array in the order of Fortran is read
 * per column.
 */
import { TableError } from '../../base/errors.ts';
import type { ByteQueue } from '../files/byte-queue.ts';
import type { NpyHeader } from './npy-header.ts';

/** Opens the bytes of an array file from an offset on. */
export type OpenBytes = (offset: number) => ByteQueue;

/** The most bytes and rows that are read at once. */
const PART_BYTES = 2 ** 23,
  PART_ROWS = 2 ** 18;
/**
 * The most columns that are read at once from an array in the order of Fortran. Each is a stream of its own.
 */
const MAX_STREAMS = 256;

/** The rows of one array. */
export class ArrayRows {
  readonly rows: number;
  /** The bytes of a row. */
  readonly rowBytes: number;
  readonly #header: NpyHeader;
  readonly #open: OpenBytes;
  #streams: ByteQueue[] | undefined;

  /** @throws TableError BAD_FORMAT for an array that cannot be read by rows. */
  constructor(header: NpyHeader, open: OpenBytes) {
    const [rows, ...others] = header.shape;
    this.rows = rows;
    this.rowBytes = others.reduce((product, size) => product * size, header.type.bytes);
    if (header.isFortran && (others.length > 1 || others[0] > MAX_STREAMS))
      throw new TableError(
        'BAD_FORMAT',
        'the NumPy array is in the order of Fortran and has too many columns or axes',
      );
    this.#header = header;
    this.#open = open;
  }

  /** The number of rows that are best read at once. */
  get partRows(): number {
    return Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / Math.max(1, this.rowBytes))));
  }

  /** Reads the next rows. @throws TableError BAD_FORMAT if the array is cut. */
  async take(rows: number): Promise<Uint8Array> {
    const { dataOffset, isFortran, shape, type } = this.#header;
    if (!isFortran) {
      this.#streams ??= [await this.#openFirst()];
      return takeAll(this.#streams[0], rows * this.rowBytes);
    }
    const columnBytes = this.rows * type.bytes;
    this.#streams ??= Array.from({ length: shape[1] }, (_, k) => this.#open(dataOffset + k * columnBytes));
    const all = new Uint8Array(rows * this.rowBytes);
    for (const [k, stream] of this.#streams.entries())
      spread(await takeAll(stream, rows * type.bytes), type.bytes, all, k * type.bytes, this.rowBytes);
    return all;
  }

  /** Opens the array at its start, so that an archive can check its content. */
  async #openFirst(): Promise<ByteQueue> {
    const stream = this.#open(0);
    await stream.take(this.#header.dataOffset);
    return stream;
  }

  /** Checks that the array ends after its last row. Arrays in the order of Fortran are not checked. */
  async checkEnd(): Promise<void> {
    if (this.#header.isFortran) return;
    const stream = this.#streams?.[0] ?? (await this.#openFirst());
    if ((await stream.take(1)).length > 0)
      throw new TableError(
        'BAD_FORMAT',
        'more bytes follow the NumPy array; only one array per file is read',
      );
    await stream.close();
  }

  async close(): Promise<void> {
    for (const stream of this.#streams ?? []) await stream.close();
  }
}

async function takeAll(stream: ByteQueue, bytes: number): Promise<Uint8Array> {
  const taken = await stream.take(bytes);
  if (taken.length < bytes) throw new TableError('BAD_FORMAT', 'the NumPy array is cut: rows are missing');
  return taken;
}

/** Copies items into every row, at `offset`. */
export function spread(
  items: Uint8Array,
  bytes: number,
  all: Uint8Array,
  offset: number,
  stride: number,
): void {
  for (let from = 0, to = offset; from < items.length; from += bytes, to += stride)
    for (let k = 0; k < bytes; k++) all[to + k] = items[from + k];
}
