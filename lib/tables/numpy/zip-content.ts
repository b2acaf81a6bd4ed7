/** Reads the content of a file in a zip archive, piece by piece. */
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { TableError } from '../../base/errors.ts';
import type { FileReader } from '../files/file-reader.ts';
import { DEFLATED, findZipData, STORED, type ZipEntry } from './zip-directory.ts';

const PIECE_BYTES = 2 ** 18;

/** Yields the bytes of a file as the archive stores them. */
export async function* packedContent(archive: FileReader, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  yield* archive.pieces(await findZipData(archive, entry), entry.packedBytes, PIECE_BYTES);
}

/**
 * Yields the content of a file from an offset on.
 *
 * The checksum is checked at the end if the content is read from its start, or if it is compressed.
 *
 * @throws TableError BAD_FORMAT if the content is damaged, larger or smaller than the archive says.
 */
export async function* zipContent(
  archive: FileReader,
  entry: ZipEntry,
  offset = 0,
): AsyncGenerator<Uint8Array> {
  const broken = (what: string): TableError =>
    new TableError('BAD_FORMAT', `${JSON.stringify(entry.name)} in the archive is damaged: ${what}`);
  if (entry.method !== STORED && entry.method !== DEFLATED)
    throw new TableError(
      'BAD_FORMAT',
      `${JSON.stringify(entry.name)} in the archive is neither stored nor deflated (method ${entry.method})`,
    );
  const start = await findZipData(archive, entry);
  if (entry.method === STORED && offset > 0) {
    yield* archive.pieces(start + offset, entry.bytes - offset, PIECE_BYTES);
    return;
  }
  const packed = archive.pieces(start, entry.packedBytes, PIECE_BYTES);
  let done = 0,
    crc = 0;
  for await (const piece of entry.method === STORED ? packed : inflate(packed, broken)) {
    const before = done;
    done += piece.length;
    if (done > entry.bytes) throw broken('it is larger than the archive says');
    crc = crc32(piece, crc);
    if (done > offset) yield piece.subarray(Math.max(0, offset - before));
  }
  if (done < entry.bytes) throw broken('it is smaller than the archive says');
  if (crc !== entry.crc) throw broken('it does not match its checksum');
}

async function* inflate(
  packed: AsyncIterable<Uint8Array>,
  broken: (what: string) => TableError,
): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: PIECE_BYTES });
  // The error also ends the iteration.
  pipeline(Readable.from(packed), inflater, () => undefined);
  try {
    yield* inflater as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw error instanceof TableError ? error : broken((error as Error).message);
  }
}
