/**
 * Reads the nodes of the B+tree, and finds keys in them. Keys are bytes: they are kept one after the other in
 * one array, not as strings. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst, "B+tree node format", and format/btree.cc.
 */
import type { DecodeError } from '../../base/errors.ts';
import {
  checkEnd,
  readDataFiles,
  readFileIndices,
  readRefs,
  type DataFile,
  type DataRef,
} from './data-files.ts';
import { WireReader } from './wire.ts';

/** A decoded node: a leaf (height 0) has values, another node has children. */
export interface BtreeNode {
  readonly height: number;
  readonly keys: Keys;
  readonly children?: Children;
  readonly values?: Values;
  /** About how many bytes of memory it takes. */
  readonly bytes: number;
}

/** Ascending keys: key k is `bytes[starts[k], starts[k + 1])`. */
interface Keys {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

interface Refs {
  readonly files: readonly DataFile[];
  readonly fileIndices: Uint32Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/** The children of a node. */
interface Children extends Refs {
  /** How many bytes at the beginning of key k all keys of child k share: the child does not store them. */
  readonly sharedLengths: Uint16Array;
}

/** The values of a leaf. */
interface Values extends Refs {
  /** Inline values, one after the other; those have the file index {@link INLINE}, and an offset in it. */
  readonly inline: Uint8Array;
}

const INLINE = 0xffffffff;
const MAX_ENTRIES = 2 ** 20;
const MAX_KEY = 65_535;
const MAX_INLINE = 2 ** 20;

/**
 * Reads a node.
 * @param content The content of the envelope, decompressed. Inline values are views of it.
 * @param basePath The `basePath` of the file that holds the node.
 * @param maxBytes Most bytes of all its keys: prefix compression could make them far larger than the node.
 * @throws DecodeError
 */
export function decodeBtreeNode(content: Uint8Array, basePath: string, maxBytes: number): BtreeNode {
  const reader = new WireReader(content, 'B+tree node');
  const height = reader.uint8(),
    files = readDataFiles(reader, basePath),
    count = reader.varint(32);
  if (count === 0) throw reader.error('has no entries');
  reader.checkEntries(count, MAX_ENTRIES, height === 0 ? 3 : 8);
  const { keys, sharedLengths } = readKeys(reader, count, height > 0, maxBytes);
  const entries = sharedLengths
    ? { children: readChildren(reader, count, files, sharedLengths) }
    : { values: readValues(reader, count, files) };
  reader.end();
  const bytes =
    content.byteLength +
    keys.bytes.byteLength +
    32 * count +
    files.reduce((sum, f) => sum + f.path.length, 0);
  return { height, keys, ...entries, bytes };
}

function readKeys(
  reader: WireReader,
  count: number,
  isInterior: boolean,
  maxBytes: number,
): { keys: Keys; sharedLengths: Uint16Array | undefined } {
  const prefixes = new Uint16Array(count),
    suffixes = new Uint16Array(count),
    sharedLengths = isInterior ? new Uint16Array(count) : undefined;
  for (let k = 1; k < count; k++) prefixes[k] = reader.varint(16);
  for (let k = 0; k < count; k++) suffixes[k] = reader.varint(16);
  if (sharedLengths) for (let k = 0; k < count; k++) sharedLengths[k] = reader.varint(16);
  const starts = new Uint32Array(count + 1);
  let total = 0,
    previous = 0;
  for (let k = 0; k < count; k++) {
    const length = prefixes[k] + suffixes[k];
    if (prefixes[k] > previous)
      throw reader.error(`key ${k} shares ${prefixes[k]} bytes with a key of ${previous}`);
    if (length > MAX_KEY) throw reader.error(`key ${k} has ${length} bytes`);
    if (sharedLengths && sharedLengths[k] > length)
      throw reader.error(`the keys below key ${k} share ${sharedLengths[k]} of its ${length} bytes`);
    total += length;
    if (total > maxBytes) throw reader.error(`its keys have more than ${maxBytes} bytes`, 'TOO_LARGE');
    starts[k + 1] = total;
    previous = length;
  }
  const bytes = new Uint8Array(total);
  for (let k = 0; k < count; k++) {
    const start = starts[k],
      before = k === 0 ? 0 : starts[k - 1],
      suffix = reader.bytes(suffixes[k]);
    bytes.copyWithin(start, before, before + prefixes[k]);
    bytes.set(suffix, start + prefixes[k]);
    if (k > 0 && compare(bytes, before + prefixes[k], start, suffix, 0) >= 0)
      throw reader.error(`key ${k} is not larger than the one before it`);
  }
  return { keys: { bytes, starts }, sharedLengths };
}

function readChildren(
  reader: WireReader,
  count: number,
  files: readonly DataFile[],
  sharedLengths: Uint16Array,
): Children {
  const refs = readRefs(reader, count, files);
  reader.skipVarints(3 * count); // statistics
  return { files, ...refs, sharedLengths };
}

function readValues(reader: WireReader, count: number, files: readonly DataFile[]): Values {
  const lengths = reader.counts(count, 'a length'),
    kinds = reader.bytes(count),
    offsets = new Float64Array(count),
    fileIndices = new Uint32Array(count).fill(INLINE);
  let indirect = 0,
    inlineBytes = 0;
  for (let k = 0; k < count; k++) {
    if (kinds[k] > 1) throw reader.error(`value ${k} has the kind ${kinds[k]}`);
    if (kinds[k] === 1) {
      indirect++;
      continue;
    }
    if (lengths[k] > MAX_INLINE) throw reader.error(`value ${k} has ${lengths[k]} bytes in the node`);
    offsets[k] = inlineBytes;
    inlineBytes += lengths[k];
  }
  const indices = readFileIndices(reader, indirect, files);
  for (let k = 0, next = 0; k < count; k++) if (kinds[k] === 1) fileIndices[k] = indices[next++];
  for (let k = 0; k < count; k++) {
    if (kinds[k] !== 1) continue;
    offsets[k] = reader.count('an offset');
    checkEnd(reader, offsets[k], lengths[k]);
  }
  return { files, fileIndices, offsets, lengths, inline: reader.bytes(inlineBytes) };
}

/**
 * Compares `a[aFrom, aEnd)` with the rest of `b` from `bFrom`, byte by byte.
 * @returns Negative, 0 or positive.
 */
function compare(a: Uint8Array, aFrom: number, aEnd: number, b: Uint8Array, bFrom: number): number {
  const length = Math.min(aEnd - aFrom, b.byteLength - bFrom);
  for (let k = 0; k < length; k++) {
    const difference = a[aFrom + k] - b[bFrom + k];
    if (difference !== 0) return difference;
  }
  return aEnd - aFrom - (b.byteLength - bFrom);
}

/** The position of the last key that is at most `key[from…]`; -1 if all are larger. */
function lastAtMost({ bytes, starts }: Keys, key: Uint8Array, from: number): number {
  let low = 0,
    high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(bytes, starts[middle], starts[middle + 1], key, from) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const refOf = ({ files, fileIndices, offsets, lengths }: Refs, k: number): DataRef => ({
  file: files[fileIndices[k]],
  offset: offsets[k],
  length: lengths[k],
});

/** The child that may hold a key. */
export interface FoundChild {
  readonly index: number;
  /** How many bytes of the key are settled: the child stores the rest. */
  readonly matched: number;
}

/**
 * Finds the child that may hold `key`, of which `from` bytes are settled.
 * @returns undefined if no child can hold it.
 */
export function findChild(node: BtreeNode, key: Uint8Array, from: number): FoundChild | undefined {
  const { keys, children } = node,
    index = lastAtMost(keys, key, from);
  if (index < 0) return undefined;
  const shared = children!.sharedLengths[index],
    start = keys.starts[index];
  if (shared > key.byteLength - from) return undefined;
  for (let k = 0; k < shared; k++) if (keys.bytes[start + k] !== key[from + k]) return undefined;
  return { index, matched: from + shared };
}

/** A reference to a child, and the least key that it may hold (without what it does not store). */
export function childAt({ keys, children }: BtreeNode, index: number): { ref: DataRef; least: Uint8Array } {
  const { starts, bytes } = keys;
  return {
    ref: refOf(children!, index),
    least: bytes.slice(starts[index] + children!.sharedLengths[index], starts[index + 1]),
  };
}

/** A value: its bytes, or where they are. */
export type FoundValue = Uint8Array | DataRef;

/** Finds the value of `key`, of which `from` bytes are settled. */
export function findValue(node: BtreeNode, key: Uint8Array, from: number): FoundValue | undefined {
  const { keys, values } = node,
    { bytes, starts } = keys,
    index = lastAtMost(keys, key, from);
  if (index < 0 || compare(bytes, starts[index], starts[index + 1], key, from) !== 0) return undefined;
  const { fileIndices, offsets, lengths, inline } = values!;
  return fileIndices[index] === INLINE
    ? inline.subarray(offsets[index], offsets[index] + lengths[index])
    : refOf(values!, index);
}

/** Checks that a node is the one that its parent names. @throws DecodeError BAD_HEADER. */
export function checkBtreeNode(
  { height, keys: { bytes, starts } }: BtreeNode,
  expectedHeight: number,
  least: Uint8Array,
  error: (message: string) => DecodeError,
): void {
  if (height !== expectedHeight) throw error(`has the height ${height}, not ${expectedHeight}`);
  if (compare(bytes, 0, starts[1], least, 0) < 0)
    throw error('begins with a key below the range that its parent names');
}
