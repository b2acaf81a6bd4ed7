/**
 * Reads what manifests, version nodes and B+tree nodes have in common: a header with magic number and length,
 * and a CRC-32C at the end. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst, "Manifest header", and format/codec_util.cc.
 */
import { crc32c } from '../../base/crc32c.ts';
import { DecodeError } from '../../base/errors.ts';
import { WireReader } from './wire.ts';

/** The kinds of structures, with their magic numbers. */
export const STRUCTURE_MAGIC = {
  manifest: 0x0cdb3a2a,
  'version node': 0x0cdb1234,
  'B+tree node': 0x0cdb20de,
} as const;
export type StructureKind = keyof typeof STRUCTURE_MAGIC;

/** Magic number, length, version, compression, CRC. */
const LEAST_BYTES = 4 + 8 + 1 + 1 + 4;

/** The content of a structure, and how it is compressed. */
export interface Envelope {
  compression: 'zstd' | undefined;
  content: Uint8Array;
}

/**
 * Checks the header and the checksum.
 * @param bytes The whole structure, and nothing else.
 * @returns The content as a view of `bytes`.
 * @throws DecodeError TRUNCATED, WRONG_SIZE, BAD_HEADER (another magic number), BAD_CHECKSUM, or UNSUPPORTED
 *   (a later version of the format, or another compression).
 */
export function openEnvelope(bytes: Uint8Array, kind: StructureKind): Envelope {
  const error = (code: DecodeError['code'], message: string): DecodeError =>
    new DecodeError(code, `OCDBT ${kind}: ${message}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    size = bytes.byteLength;
  if (size < LEAST_BYTES) throw error('TRUNCATED', `${size} bytes; the least is ${LEAST_BYTES}`);
  if (view.getUint32(0) !== STRUCTURE_MAGIC[kind])
    throw error(
      'BAD_HEADER',
      `begins with ${hex(view.getUint32(0))}, not with ${hex(STRUCTURE_MAGIC[kind])}`,
    );
  const length = view.getBigUint64(4, true);
  if (length !== BigInt(size))
    throw error(length > size ? 'TRUNCATED' : 'WRONG_SIZE', `${size} bytes, but its header says ${length}`);
  const end = size - 4;
  if (crc32c(view, 0, end) !== view.getUint32(end, true))
    throw error('BAD_CHECKSUM', 'its content does not match its CRC-32C');
  const reader = new WireReader(bytes.subarray(12, end), kind);
  const version = reader.varint(32);
  if (version !== 0) throw error('UNSUPPORTED', `has version ${version} of the format; only 0 is known`);
  const compression = reader.varint(32);
  if (compression > 1)
    throw error('UNSUPPORTED', `has compression ${compression}; known are 0 (none) and 1 (zstd)`);
  return { compression: compression === 1 ? 'zstd' : undefined, content: reader.bytes(reader.left) };
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
