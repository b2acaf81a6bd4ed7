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
export async function inflateChunk(
  chunk: StoredChunk,
  how: Pick<DecompressOptions, 'signal' | 'stop' | 'isBlocking' | 'isTransient'>,
): Promise<Uint8Array> {
  let bytes = await decompress(chunk.bytes, chunk.contentEncoding, { ...chunk, ...how });
  for (let layer = 0; layer < MAX_UNANNOUNCED; layer++) {
    const bitstream = sniffBitstream(bytes);
    if (!bitstream || bytes.byteLength === chunk.exactBytes) break;
    bytes = await decompress(bytes, bitstream, { ...chunk, ...how });
  }
  return bytes;
}
