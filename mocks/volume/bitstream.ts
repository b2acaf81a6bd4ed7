/** Whole-object bitstreams, as object stores keep them in Content-Encoding. */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** How `buildPrecomputed` compresses encoded chunks. */
export type Bitstream = 'none' | 'gzip' | 'br' | 'zstd';

export const BITSTREAMS: Record<Bitstream, (bytes: Uint8Array) => Uint8Array> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: storeAsZstd,
};

const MOST_BLOCK = 128 * 1024;

/**
 * A Zstandard frame of stored and run-length blocks: what every decoder reads, though hardly smaller than the content. Node has no zstd
 * before version 22. Source: RFC 8878, 3.1.1.
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
    const block = bytes.subarray(from, from + MOST_BLOCK);
    from += MOST_BLOCK;
    const last = from >= bytes.byteLength ? 1 : 0,
      runs = block.length > 1 && block.every((byte) => byte === block[0]);
    const head = last | ((runs ? 1 : 0) << 1) | (block.length << 3);
    parts.push(Uint8Array.of(head, head >>> 8, head >>> 16), runs ? block.subarray(0, 1) : block);
  } while (from < bytes.byteLength);
  return Buffer.concat(parts);
}
