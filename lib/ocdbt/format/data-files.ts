/**
 * Reads the table of data files that precedes references to them. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst, "Data file table format", and format/data_file_id_codec.cc.
 */
import type { WireReader } from './wire.ts';
import { ALL_ONES } from './wire.ts';

/** A data file of the database. */
export interface DataFile {
  /** Its key below the root of the database. */
  readonly path: string;
  /** The part of `path` that comes before all paths in the nodes that this file holds. */
  readonly basePath: string;
}

/** A range of bytes in a data file. */
export interface DataRef {
  readonly file: DataFile;
  readonly offset: number;
  readonly length: number;
}

const MAX_PATH = 65_535;
/** Most data files of one node. */
const MAX_FILES = 2 ** 20;
/** Most bytes of all paths of one node together. */
const MAX_PATH_BYTES = 2 ** 26;

/**
 * Reads the table.
 * @param basePath The `basePath` of the file that holds the node; empty for the manifest.
 * @throws DecodeError
 */
export function readDataFiles(reader: WireReader, basePath: string): DataFile[] {
  const count = reader.count('the number of data files');
  if (count === 0) return [];
  // A prefix, a suffix and a base length each, except for the first prefix.
  reader.checkEntries(count, MAX_FILES, 2);
  const prefixes = new Uint16Array(count),
    suffixes = new Uint16Array(count),
    bases = new Uint16Array(count);
  for (let k = 1; k < count; k++) prefixes[k] = reader.varint(16);
  for (let k = 0; k < count; k++) suffixes[k] = reader.varint(16);
  for (let k = 0; k < count; k++) bases[k] = reader.varint(16);
  const most = MAX_PATH - utf8Length(basePath);
  let total = 0;
  for (let k = 0; k < count; k++) {
    const length = prefixes[k] + suffixes[k],
      previous = k === 0 ? 0 : prefixes[k - 1] + suffixes[k - 1],
      previousBase = k === 0 ? 0 : bases[k - 1];
    total += length;
    if (length > most || prefixes[k] > previous || bases[k] > length)
      throw reader.error(`the path of data file ${k} has impossible lengths`);
    if (bases[k] !== previousBase && prefixes[k] > Math.min(bases[k], previousBase))
      throw reader.error(`the path of data file ${k} shares more than its base with the one before it`);
  }
  if (total > MAX_PATH_BYTES)
    throw reader.error(`the paths of its data files have ${total} bytes`, 'TOO_LARGE');
  const files: DataFile[] = [];
  let path = new Uint8Array(0);
  for (let k = 0; k < count; k++) {
    const next = new Uint8Array(prefixes[k] + suffixes[k]);
    next.set(path.subarray(0, prefixes[k]));
    next.set(reader.bytes(suffixes[k]), prefixes[k]);
    path = next;
    const text = decodePath(reader, path);
    const base = bases[k] === 0 ? '' : decodePath(reader, path.subarray(0, bases[k]));
    files.push({ path: basePath + text, basePath: basePath + base });
  }
  return files;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodePath(reader: WireReader, bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw reader.error('the path of a data file is not UTF-8');
  }
}

const utf8Length = (text: string): number => new TextEncoder().encode(text).byteLength;

/** The columns of many references. */
export interface RefColumns {
  /** Indices into the table of data files. */
  fileIndices: Uint32Array;
  offsets: Float64Array;
  lengths: Float64Array;
}

/** Reads `count` indices into the table of data files. */
export function readFileIndices(reader: WireReader, count: number, files: readonly DataFile[]): Uint32Array {
  const indices = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const index = reader.count('the index of a data file');
    if (index >= files.length)
      throw reader.error(`reference ${k} names data file ${index} of ${files.length}`);
    indices[k] = index;
  }
  return indices;
}

/** Reads `count` references. */
export function readRefs(reader: WireReader, count: number, files: readonly DataFile[]): RefColumns {
  const fileIndices = readFileIndices(reader, count, files),
    offsets = reader.counts(count, 'an offset'),
    lengths = reader.counts(count, 'a length');
  for (let k = 0; k < count; k++) checkEnd(reader, offsets[k], lengths[k]);
  return { fileIndices, offsets, lengths };
}

/** Reads `count` references, each of which may be absent: then its offset and its length are 2^64 - 1. */
export function readOptionalRefs(
  reader: WireReader,
  count: number,
  files: readonly DataFile[],
): (DataRef | undefined)[] {
  const fileIndices = readFileIndices(reader, count, files),
    offsets = Array.from({ length: count }, () => reader.varint64()),
    lengths = Array.from({ length: count }, () => reader.varint64());
  return offsets.map((offset, k) => {
    if (offset === ALL_ONES && lengths[k] === ALL_ONES) return undefined;
    if (offset < 0 || lengths[k] < 0) throw reader.error('a position is larger than 2^53');
    checkEnd(reader, offset, lengths[k]);
    return { file: files[fileIndices[k]], offset, length: lengths[k] };
  });
}

/** Checks where a reference ends. @throws DecodeError beyond 2^53. */
export function checkEnd(reader: WireReader, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset + length)) throw reader.error('a reference ends beyond 2^53');
}
