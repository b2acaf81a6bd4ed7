/**
 * One cached object as a file: what it is the answer to, its bytes, and checksums of both.
 *
 *     "GPCACHE1" | u32 length of the header | u32 CRC-32 of the header | header, JSON | payload
 *
 * Numbers are little-endian. Whatever does not check out is no entry: a cache may lose things, never change them.
 */
import { crc32 } from 'node:zlib';

export interface CacheEntry {
  /** The answer; undefined: there is nothing at this key. */
  bytes: Uint8Array | undefined;
  /** Tells this version of the object from others: an ETag, or what else the store knows it by. */
  validator: string | undefined;
  /** When it was stored, in ms since 1970. */
  storedMs: number;
}

interface Header {
  key: string;
  /** -1: nothing is there. */
  length: number;
  crc: number;
  validator?: string;
  storedMs: number;
}

const MAGIC = new TextEncoder().encode('GPCACHE1');
const PREFIX = 16;
/** Keys and validators are short; a longer header is none of ours. */
const MAX_HEADER = 16_384;

/** Bytes a file takes beside its payload, at most. */
export const ENTRY_OVERHEAD = PREFIX + MAX_HEADER;

/** @returns The parts of the file, in order; the payload is not copied. Undefined when the key is too long to be kept. */
export function encodeEntry(
  key: string,
  { bytes, validator, storedMs }: CacheEntry,
): Uint8Array[] | undefined {
  const said: Header = {
    key,
    length: bytes?.byteLength ?? -1,
    crc: bytes ? crc32(bytes) : 0,
    validator,
    storedMs,
  };
  const header = new TextEncoder().encode(JSON.stringify(said));
  if (header.length > MAX_HEADER) return undefined;
  const prefix = new Uint8Array(PREFIX),
    view = new DataView(prefix.buffer);
  prefix.set(MAGIC);
  view.setUint32(8, header.length, true);
  view.setUint32(12, crc32(header), true);
  return bytes ? [prefix, header, bytes] : [prefix, header];
}

/** @returns The entry and the key it answers, or undefined when the file is damaged, or something else. */
export function decodeEntry(file: Uint8Array): { key: string; entry: CacheEntry } | undefined {
  if (file.length < PREFIX || MAGIC.some((byte, at) => file[at] !== byte)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = PREFIX + view.getUint32(8, true);
  if (end > Math.min(file.length, PREFIX + MAX_HEADER)) return undefined;
  const header = file.subarray(PREFIX, end);
  if (crc32(header) !== view.getUint32(12, true)) return undefined;
  const said = parseHeader(new TextDecoder().decode(header));
  if (!said) return undefined;
  const { key, length, crc, validator, storedMs } = said,
    payload = file.subarray(end);
  if (payload.length !== Math.max(0, length) || (length >= 0 && crc32(payload) !== crc)) return undefined;
  return { key, entry: { bytes: length < 0 ? undefined : payload, validator, storedMs } };
}

/** Its checksum agrees, so it is ours, or somebody's who made one. */
function parseHeader(text: string): Header | undefined {
  try {
    const said = JSON.parse(text) as Header | null;
    return typeof said?.key === 'string' && typeof said.length === 'number' ? said : undefined;
  } catch {
    return undefined;
  }
}
