/**
 * Writes a zip archive, one file after the other.
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3.10.
 */
import type { ByteSink } from '../files/byte-streams.ts';
import type { ZipEntry } from './zip-directory.ts';

const FULL_32 = 0xffffffff,
  FULL_16 = 0xffff;
const VERSION = 20,
  VERSION_64 = 45;
const UTF8 = 0x800;

/** An archive that is written. */
export class ZipWriter {
  readonly #out: ByteSink;
  readonly #entries: ZipEntry[] = [];
  #position = 0;

  constructor(out: ByteSink) {
    this.#out = out;
  }

  /** Adds a file. @param content Yields as many bytes as `entry.packedBytes`. */
  async add(entry: ZipEntry, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#entries.push({ ...entry, headerOffset: this.#position });
    await this.#put(localHeader(entry));
    for await (const piece of content) await this.#put(piece);
  }

  /** Writes the directory. */
  async finish(): Promise<void> {
    const offset = this.#position;
    for (const entry of this.#entries) await this.#put(directoryEntry(entry));
    const bytes = this.#position - offset;
    await this.#put(endOfArchive(this.#entries.length, bytes, offset));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    await this.#out.write(bytes);
  }
}

const isLarge = (entry: ZipEntry): boolean => Math.max(entry.bytes, entry.packedBytes) >= FULL_32;

/** Returns the extra field with sizes of 64 bits. */
function extraOf(sizes: readonly number[]): Buffer {
  if (sizes.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * sizes.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * sizes.length, 2);
  sizes.forEach((size, k) => extra.writeBigUInt64LE(BigInt(size), 4 + 8 * k));
  return extra;
}

/** Writes what a local header and an entry of the directory have in common, from the version on. */
function putCommon(header: Buffer, at: number, entry: ZipEntry, extra: Buffer, version: number): void {
  header.writeUInt16LE(version, at);
  header.writeUInt16LE(entry.isUtf8 ? UTF8 : 0, at + 2);
  header.writeUInt16LE(entry.method, at + 4);
  header.writeUInt32LE(entry.time, at + 6);
  header.writeUInt32LE(entry.crc, at + 10);
  header.writeUInt32LE(isLarge(entry) ? FULL_32 : entry.packedBytes, at + 14);
  header.writeUInt32LE(isLarge(entry) ? FULL_32 : entry.bytes, at + 18);
  header.writeUInt16LE(entry.nameBytes.length, at + 22);
  header.writeUInt16LE(extra.length, at + 24);
}

function localHeader(entry: ZipEntry): Buffer {
  const extra = extraOf(isLarge(entry) ? [entry.bytes, entry.packedBytes] : []);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  putCommon(header, 4, entry, extra, isLarge(entry) ? VERSION_64 : VERSION);
  return Buffer.concat([header, entry.nameBytes, extra]);
}

function directoryEntry(entry: ZipEntry): Buffer {
  const isFar = entry.headerOffset >= FULL_32;
  const extra = extraOf([
    ...(isLarge(entry) ? [entry.bytes, entry.packedBytes] : []),
    ...(isFar ? [entry.headerOffset] : []),
  ]);
  const version = extra.length > 0 ? VERSION_64 : VERSION,
    header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(version, 4);
  putCommon(header, 6, entry, extra, version);
  header.writeUInt32LE(isFar ? FULL_32 : entry.headerOffset, 42);
  return Buffer.concat([header, entry.nameBytes, extra]);
}

function endOfArchive(count: number, bytes: number, offset: number): Buffer {
  const isLarge64 = count >= FULL_16 || bytes >= FULL_32 || offset >= FULL_32;
  const large = Buffer.alloc(isLarge64 ? 76 : 0);
  if (isLarge64) {
    large.writeUInt32LE(0x06064b50, 0);
    large.writeBigUInt64LE(44n, 4);
    large.writeUInt16LE(VERSION_64, 12);
    large.writeUInt16LE(VERSION_64, 14);
    large.writeBigUInt64LE(BigInt(count), 24);
    large.writeBigUInt64LE(BigInt(count), 32);
    large.writeBigUInt64LE(BigInt(bytes), 40);
    large.writeBigUInt64LE(BigInt(offset), 48);
    large.writeUInt32LE(0x07064b50, 56);
    large.writeBigUInt64LE(BigInt(offset + bytes), 64);
    large.writeUInt32LE(1, 72);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, FULL_16), 8);
  end.writeUInt16LE(Math.min(count, FULL_16), 10);
  end.writeUInt32LE(Math.min(bytes, FULL_32), 12);
  end.writeUInt32LE(Math.min(offset, FULL_32), 16);
  return Buffer.concat([large, end]);
}
