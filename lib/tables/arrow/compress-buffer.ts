/** Compresses a buffer as the other buffers of its record batch are. Source: Arrow, format/Message.fbs. */
import { encodeZstd } from '../../compression/zstd.ts';
import { ZSTD } from './record-batch.ts';

const PREFIX_BYTES = 8;

/**
 * Returns the buffer with its size in front; -1 says that it is not compressed. An empty buffer stays empty.
 */
export async function compressBuffer(bytes: Uint8Array, codec: number): Promise<Uint8Array> {
  if (bytes.length === 0) return bytes;
  const packed = codec === ZSTD ? await encodeZstd(bytes) : undefined,
    isSmaller = packed !== undefined && packed.length < bytes.length;
  const content = isSmaller ? packed : bytes,
    framed = new Uint8Array(PREFIX_BYTES + content.length);
  new DataView(framed.buffer).setBigInt64(0, BigInt(isSmaller ? bytes.length : -1), true);
  framed.set(content, PREFIX_BYTES);
  return framed;
}
