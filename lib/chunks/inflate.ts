/** Undoes the compression of a stored chunk. */
import { decompress, sniffBitstream, type DecompressOptions } from '../compression/decompress.ts';
import type { StoredChunk } from './chunk-source.ts';

/**
 * Most layers of compression to undo that no header names: a header was lost, or a chunk was compressed
 * twice.
 */
const MAX_UNANNOUNCED = 2;

/**
 * Undoes the content encoding of a chunk, and then any compression that its first bytes show. Bytes of
 * exactly the size of the chunk are left alone, because a raw chunk may begin with any bytes. The other
 * encodings never begin like a compressed file.
 * @throws DecodeError; `signal.reason`.
 */
export async function inflateChunk(chunk: StoredChunk, how: InflateOptions): Promise<Uint8Array> {
  return inflateSoon(chunk, how);
}

/** How to undo the compression of a chunk. */
type InflateOptions = Pick<DecompressOptions, 'signal' | 'stop' | 'isBlocking' | 'isTransient'>;

/**
 * As {@link inflateChunk}, but returns at once what can be had at once.
 * @throws DecodeError. A returned promise rejects likewise.
 */
export function inflateSoon(chunk: StoredChunk, how: InflateOptions): Uint8Array | Promise<Uint8Array> {
  const bytes = decompress(chunk.bytes, chunk.contentEncoding, { ...chunk, ...how });
  return bytes instanceof Uint8Array && !sniffBitstream(bytes) ? bytes : undoUnannounced(bytes, chunk, how);
}

async function undoUnannounced(
  outer: Uint8Array | Promise<Uint8Array>,
  chunk: StoredChunk,
  how: InflateOptions,
): Promise<Uint8Array> {
  let bytes = await outer;
  for (let layer = 0; layer < MAX_UNANNOUNCED; layer++) {
    const bitstream = sniffBitstream(bytes);
    if (!bitstream || bytes.byteLength === chunk.exactBytes) break;
    bytes = await decompress(bytes, bitstream, { ...chunk, ...how });
  }
  return bytes;
}
