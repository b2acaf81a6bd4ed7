/** Opens the envelope of a structure, and decompresses its content. */
import { DecodeError } from '../base/errors.ts';
import { decompress } from '../compression/decompress.ts';
import { openEnvelope, type StructureKind } from './format/envelope.ts';

/**
 * Returns the content of a structure.
 * @param bytes The whole structure, and nothing else.
 * @param maxBytes Most bytes of the content.
 * @throws DecodeError; a promise rejects likewise.
 */
export async function unwrapStructure(
  bytes: Uint8Array,
  kind: StructureKind,
  maxBytes: number,
): Promise<Uint8Array> {
  const { compression, content } = openEnvelope(bytes, kind);
  if (!compression && content.byteLength > maxBytes)
    throw new DecodeError('TOO_LARGE', `OCDBT ${kind}: ${content.byteLength} bytes; the most is ${maxBytes}`);
  return decompress(content, compression, { maxBytes });
}
