/**
 * Reads which files a zip archive holds. Names are never used as paths.
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3.10.
 */
import { TableError } from '../../base/errors.ts';
import type { FileReader } from '../files/file-reader.ts';

const END = 0x06054b50,
  END_64 = 0x06064b50,
  LOCATOR_64 = 0x07064b50,
  ENTRY = 0x02014b50,
  LOCAL = 0x04034b50;
const END_BYTES = 22,
  END_64_BYTES = 56,
  LOCATOR_BYTES = 20,
  ENTRY_BYTES = 46,
  LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY = 2 ** 26;
const MAX_ENTRIES = 10_000;
const FULL_32 = 0xffffffff,
  FULL_16 = 0xffff;
const ZIP64_EXTRA = 1;
const ENCRYPTED = 1,
  UTF8 = 0x800;

/** How a file in an archive is compressed. */
export const STORED = 0,
  DEFLATED = 8;

/** A file in an archive. */
export interface ZipEntry {
  name: string;
  /** The name as it is stored. */
  nameBytes: Uint8Array;
  isUtf8: boolean;
  method: number;
  crc: number;
  /** The bytes in the archive. */
  packedBytes: number;
  /** The bytes of the content. */
  bytes: number;
  /** The date and time, as the archive stores them. */
  time: number;
  /** Where its local header is. */
  headerOffset: number;
}

const broken = (what: string): TableError => new TableError('BAD_FORMAT', `the archive is broken: ${what}`);

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function sizeAt(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high >= 2 ** 21) throw broken('a size is impossible');
  return high * 2 ** 32 + view.getUint32(at, true);
}

/** Reads the entries of an archive. @throws TableError BAD_FORMAT. */
export async function readZipDirectory(file: FileReader): Promise<ZipEntry[]> {
  const { offset, bytes, count } = await findDirectory(file);
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY)
    throw new TableError('BAD_FORMAT', `the archive holds ${count} files; at most ${MAX_ENTRIES} are read`);
  if (offset + bytes > file.size) throw broken('its directory lies outside of it');
  const directory = await file.read(offset, bytes),
    view = viewOf(directory);
  const entries: ZipEntry[] = [],
    names = new Set<string>();
  let at = 0,
    total = 0;
  for (let k = 0; k < count; k++) {
    if (at + ENTRY_BYTES > bytes || view.getUint32(at, true) !== ENTRY) throw broken('its directory is cut');
    const nameBytes = view.getUint16(at + 28, true),
      extraBytes = view.getUint16(at + 30, true),
      end = at + ENTRY_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (end > bytes) throw broken('its directory is cut');
    const entry = readEntry(directory, at, nameBytes, extraBytes);
    if (names.has(entry.name)) throw broken(`${JSON.stringify(entry.name)} occurs more than once`);
    names.add(entry.name);
    total += entry.packedBytes;
    if (entry.headerOffset + LOCAL_BYTES + entry.packedBytes > offset || total > offset)
      throw broken(`${JSON.stringify(entry.name)} lies outside of it`);
    entries.push(entry);
    at = end;
  }
  return entries;
}

function readEntry(directory: Uint8Array, at: number, nameBytes: number, extraBytes: number): ZipEntry {
  const view = viewOf(directory),
    flags = view.getUint16(at + 8, true),
    isUtf8 = (flags & UTF8) !== 0,
    nameAt = at + ENTRY_BYTES;
  const stored = directory.subarray(nameAt, nameAt + nameBytes),
    name = Buffer.from(stored).toString(isUtf8 ? 'utf8' : 'latin1');
  if (flags & ENCRYPTED)
    throw new TableError(
      'BAD_FORMAT',
      `the archive is encrypted (${JSON.stringify(name)}), which is not read`,
    );
  let packedBytes = view.getUint32(at + 20, true),
    bytes = view.getUint32(at + 24, true),
    headerOffset = view.getUint32(at + 42, true);
  const extra = directory.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes),
    large = findExtra(extra);
  let used = 0;
  const takeLarge = (): number => {
    if (!large || used + 8 > large.length) throw broken(`the size of ${JSON.stringify(name)} is missing`);
    used += 8;
    return sizeAt(viewOf(large), used - 8);
  };
  if (bytes === FULL_32) bytes = takeLarge();
  if (packedBytes === FULL_32) packedBytes = takeLarge();
  if (headerOffset === FULL_32) headerOffset = takeLarge();
  const method = view.getUint16(at + 10, true);
  if (method === STORED && packedBytes !== bytes) throw broken(`${JSON.stringify(name)} has two sizes`);
  return {
    name,
    nameBytes: stored,
    isUtf8,
    method,
    crc: view.getUint32(at + 16, true),
    packedBytes,
    bytes,
    time: view.getUint32(at + 12, true),
    headerOffset,
  };
}

/** Returns the extra field with sizes of 64 bits. */
function findExtra(extra: Uint8Array): Uint8Array | undefined {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra.length) return undefined;
    if (view.getUint16(at, true) === ZIP64_EXTRA) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

async function findDirectory(file: FileReader): Promise<{ offset: number; bytes: number; count: number }> {
  const tailBytes = Math.min(file.size, END_BYTES + MAX_COMMENT),
    tailAt = file.size - tailBytes;
  const tail = await file.read(tailAt, tailBytes),
    view = viewOf(tail);
  let at = tailBytes - END_BYTES;
  const isEnd = (): boolean =>
    view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === tailBytes;
  while (at >= 0 && !isEnd()) at--;
  if (at < 0)
    throw new TableError('BAD_FORMAT', 'the archive is cut, or is not a zip archive: its end is missing');
  const directory = {
    count: view.getUint16(at + 10, true),
    bytes: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  if (directory.count !== FULL_16 && directory.bytes !== FULL_32 && directory.offset !== FULL_32)
    return directory;
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_64) return directory;
  const end = sizeAt(view, locator + 8);
  if (end + END_64_BYTES > file.size) throw broken('its end lies outside of it');
  const large = viewOf(await file.read(end, END_64_BYTES));
  if (large.getUint32(0, true) !== END_64) throw broken('its end is missing');
  return { count: sizeAt(large, 32), bytes: sizeAt(large, 40), offset: sizeAt(large, 48) };
}

/** Returns where the bytes of a file in an archive begin. @throws TableError BAD_FORMAT. */
export async function findZipData(
  file: FileReader,
  { name, headerOffset, packedBytes }: ZipEntry,
): Promise<number> {
  const view = viewOf(await file.read(headerOffset, LOCAL_BYTES));
  const offset = headerOffset + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (view.getUint32(0, true) !== LOCAL || offset + packedBytes > file.size)
    throw broken(`${JSON.stringify(name)} is missing`);
  return offset;
}
