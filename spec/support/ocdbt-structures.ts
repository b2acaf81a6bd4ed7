/** The structures of OCDBT databases, as bytes: finds them in files, and puts a valid envelope around content. */
import { crc32c } from '../../lib/base/crc32c.ts';
import { STRUCTURE_MAGIC, type StructureKind } from '../../lib/ocdbt/format/envelope.ts';

/** Puts a header and a right checksum around the content of a structure. */
export function sealStructure(kind: StructureKind, content: Uint8Array, compression: 0 | 1 = 0): Uint8Array {
  const bytes = new Uint8Array(14 + content.length + 4),
    view = new DataView(bytes.buffer);
  view.setUint32(0, STRUCTURE_MAGIC[kind]);
  view.setBigUint64(4, BigInt(bytes.length), true);
  bytes[13] = compression;
  bytes.set(content, 14);
  return fixChecksum(bytes);
}

/** Writes the right checksum at the end of a structure. */
export function fixChecksum(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    end = bytes.length - 4;
  view.setUint32(end, crc32c(view, 0, end), true);
  return bytes;
}

/** A structure in a file. */
export interface PlacedStructure {
  kind: StructureKind;
  start: number;
  end: number;
}

/** Finds all structures in a file, by their magic numbers, lengths and checksums. */
export function findStructures(file: Uint8Array): PlacedStructure[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength),
    kinds = Object.entries(STRUCTURE_MAGIC) as [StructureKind, number][];
  const found: PlacedStructure[] = [];
  for (let start = 0; start + 18 <= file.length; start++) {
    const kind = kinds.find(([, magic]) => view.getUint32(start) === magic)?.[0],
      end = start + Number(view.getBigUint64(start + 4, true));
    if (!kind || end > file.length || end - start < 18) continue;
    if (crc32c(view, start, end - 4) === view.getUint32(end - 4, true)) found.push({ kind, start, end });
  }
  return found;
}
