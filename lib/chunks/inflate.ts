/** Stored bytes to the bytes of the chunk. */
import { decompress, sniffBitstream } from '../compression/decompress.ts';
import type { StoredChunk } from './chunk-source.ts';

/** Bitstreams that nothing announces: a stripped header, a chunk compressed twice. */
const MAX_UNANNOUNCED = 2;

/**
 * The bytes that are read of a chunk, made once for all who wait. Undoes the content encoding, and then what the bytes themselves say they are, but only where they cannot be the chunk already: a raw
 * chunk of just the right size may begin with any bytes. All other encodings begin with words that are no bitstream's.
 * @throws DecodeError; `signal.reason`.
 */
export async function inflateChunk(chunk: StoredChunk, signal: AbortSignal): Promise<Uint8Array> {
  let bytes = await decompress(chunk.bytes, chunk.contentEncoding, { ...chunk, signal });
  for (let layer = 0; layer < MAX_UNANNOUNCED; layer++) {
    const bitstream = sniffBitstream(bytes);
    if (!bitstream || bytes.byteLength === chunk.exactBytes) break;
    bytes = await decompress(bytes, bitstream, { ...chunk, signal });
  }
  return chunk.decode ? chunk.decode(bytes) : bytes;
}
