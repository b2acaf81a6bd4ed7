/**
 * The format of one cache entry: its key, its bytes, and checksums of both.
 *
 *     "GPCACHE2" | u32 length of the header | u32 CRC-32 of the header | header, JSON | payload
 *
 * Numbers are little-endian. Spaces after the JSON let the payload begin at a multiple of 8. Bytes that do
 * not match their checksums are not an entry: a cache may lose bytes, but must never change them.
 */
import { crc32 } from 'node:zlib';

/** One cached object. */
export interface CacheEntry {
  /** The object's bytes; undefined if the store has no object at this key. */
  bytes: Uint8Array | undefined;
  /** Identifies this version of the object: an ETag, or what the store uses instead. */
  validator: string | undefined;
  /** When the entry was stored, in milliseconds since 1970. */
  storedMs: number;
  /** How the bytes are encoded; the caller knows the meaning. */
  form?: string;
  /** What the entry was made for, such as a version of the volume; the caller knows the meaning. */
  origin?: string;
}

interface Header {
  key: string;
  /** Bytes of the payload; -1 if the store has no object. */
  length: number;
  crc: number;
  validator?: string;
  storedMs: number;
  form?: string;
  origin?: string;
}

const MAGIC = new TextEncoder().encode('GPCACHE2');
const PREFIX = 16;
/** Keys and validators are short: a file with a longer header is not an entry. */
const MAX_HEADER = 16_384;
const ALIGNMENT = 8,
  SPACE = 0x20;

/** Maximum number of bytes that an entry has in addition to its payload. */
export const ENTRY_OVERHEAD = PREFIX + MAX_HEADER;

/**
 * Encodes an entry.
 * @returns the parts of the entry, in order; the payload is not copied. Undefined if the key is too long to
 * be
 *   stored.
 */
export function encodeEntry(key: string, { bytes, ...fields }: CacheEntry): Uint8Array[] | undefined {
  const payload = bytes && { byteLength: bytes.byteLength, crc: crc32(bytes) },
    head = encodeHead(key, payload, fields);
  return head && (bytes ? [head, bytes] : [head]);
}

/**
 * Encodes what comes before the payload.
 * @param payload The size of the payload and its CRC-32; undefined if the store has no object.
 * @returns undefined if the key is too long to be stored.
 */
export function encodeHead(
  key: string,
  payload: { byteLength: number; crc: number } | undefined,
  { validator, storedMs, form, origin }: Omit<CacheEntry, 'bytes'>,
): Uint8Array | undefined {
  const fields: Header = {
    key,
    length: payload?.byteLength ?? -1,
    crc: payload?.crc ?? 0,
    validator,
    storedMs,
    form,
    origin,
  };
  const json = Buffer.from(JSON.stringify(fields));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (length > MAX_HEADER) return undefined;
  const head = new Uint8Array(PREFIX + length).fill(SPACE),
    view = new DataView(head.buffer);
  head.set(MAGIC);
  head.set(json, PREFIX);
  view.setUint32(8, length, true);
  view.setUint32(12, crc32(head.subarray(PREFIX)), true);
  return head;
}

/**
 * Finds the end of the entry that begins at a place among other bytes. It may lie behind the last byte.
 * @returns undefined if no entry with a whole header begins there.
 */
export function endOfEntry(bytes: Uint8Array, start: number): number | undefined {
  const header = readHeader(bytes.subarray(start));
  return header && start + header.end + Math.max(0, header.fields.length);
}

/** Decodes a file. @returns the entry and its key; undefined if the file is damaged or is not an entry. */
export function decodeEntry(file: Uint8Array): { key: string; entry: CacheEntry } | undefined {
  const header = readHeader(file);
  if (!header) return undefined;
  const { key, length, crc, validator, storedMs, form, origin } = header.fields,
    payload = file.subarray(header.end);
  if (payload.length !== Math.max(0, length) || (length >= 0 && crc32(payload) !== crc)) return undefined;
  return { key, entry: { bytes: length < 0 ? undefined : payload, validator, storedMs, form, origin } };
}

/** Reads the header of an entry. @returns undefined if it is damaged. */
function readHeader(file: Uint8Array): { fields: Header; end: number } | undefined {
  if (file.length < PREFIX || MAGIC.some((byte, at) => file[at] !== byte)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = PREFIX + view.getUint32(8, true);
  if (end > Math.min(file.length, PREFIX + MAX_HEADER)) return undefined;
  const header = file.subarray(PREFIX, end);
  if (crc32(header) !== view.getUint32(12, true)) return undefined;
  const fields = parseHeader(new TextDecoder().decode(header));
  return fields && { fields, end };
}

/** Parses a header. Its checksum agrees, but the file may still be made by another program. */
function parseHeader(text: string): Header | undefined {
  try {
    const fields = JSON.parse(text) as Header | null;
    return typeof fields?.key === 'string' && typeof fields.length === 'number' ? fields : undefined;
  } catch {
    return undefined;
  }
}
