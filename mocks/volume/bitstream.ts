/** Compresses whole objects, as the Content-Encoding of object stores names it. */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The compression of a whole object; `none` leaves it as it is. */
export type Bitstream = 'none' | 'gzip' | 'br' | 'zstd';

/** The compressor of each bitstream. */
export const BITSTREAMS: Record<Bitstream, (bytes: Uint8Array) => Uint8Array> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: storeAsZstd,
};

const MAX_BLOCK_BYTES = 128 * 1024;

/**
 * A Zstandard frame of stored and run-length blocks. Every decoder reads it, but it is hardly smaller than
 * the content. Node before version 22 has no zstd. Source: RFC 8878, 3.1.1.
 */
function storeAsZstd(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, 0xfd2fb528, true);
  header.setUint8(4, 0b1110_0000); // the content's size in 8 bytes; one segment, no checksum, no dictionary
  header.setBigUint64(5, BigInt(bytes.byteLength), true);
  parts.push(new Uint8Array(header.buffer));
  let from = 0;
  do {
    const block = bytes.subarray(from, from + MAX_BLOCK_BYTES);
    from += MAX_BLOCK_BYTES;
    const last = from >= bytes.byteLength ? 1 : 0,
      runs = block.length > 1 && block.every((byte) => byte === block[0]);
    const head = last | ((runs ? 1 : 0) << 1) | (block.length << 3);
    parts.push(Uint8Array.of(head, head >>> 8, head >>> 16), runs ? block.subarray(0, 1) : block);
  } while (from < bytes.byteLength);
  return Buffer.concat(parts);
}
