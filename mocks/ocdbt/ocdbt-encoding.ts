/**
 * Encodes the manifest and the nodes of an OCDBT database. No I/O.
 * Source: TensorStore, tensorstore/kvstore/ocdbt/index.rst, "Storage format", and format/config_codec.h.
 */
import { crc32c } from '../../lib/base/crc32c.ts';
import { BITSTREAMS } from '../volume/bitstream.ts';

/** Compression of manifests and nodes. Zstandard is written as stored blocks. */
export type OcdbtCompression = 'none' | 'zstd';

/** Bytes of a data file. `path` is relative to the database. */
export interface DataRange {
  path: string;
  offset: number;
  length: number;
}

/** What a subtree holds, by the counts that its parent states. */
export interface SubtreeCounts {
  keys: number;
  treeBytes: number;
  valueBytes: number;
}

/** A value of a leaf: its bytes, or where they are. */
export interface LeafEntry {
  key: string;
  value: Uint8Array | DataRange;
}

/** A child of an interior node. */
export interface NodeReference extends DataRange, SubtreeCounts {
  /** The first key of the subtree. */
  firstKey: string;
  /** The longest prefix that all keys of the subtree have. */
  prefix: string;
}

/** One version: its B+tree. */
export interface VersionEntry extends DataRange, SubtreeCounts {
  generation: number;
  height: number;
  commitMs: number;
}

/** A node of the version tree, as its parent refers to it. */
export interface VersionNodeEntry extends DataRange {
  /** The newest generation below it. */
  generation: number;
  generations: number;
  /** The earliest commit below it. */
  commitMs: number;
  height: number;
}

/** The configuration of a database, as its manifest states it. */
export interface OcdbtConfig {
  uuid: Uint8Array;
  maxInlineValueBytes: number;
  maxDecodedNodeBytes: number;
  versionTreeArityLog2: number;
  compression: OcdbtCompression;
}

const MAGIC = { manifest: 0x0cdb3a2a, versionNode: 0x0cdb1234, btreeNode: 0x0cdb20de } as const;
const ZSTD_LEVEL = 12;

/** Collects bytes. Numbers are varints: 7 bits per byte, the lowest first. */
class ByteList {
  readonly #bytes: number[] = [];

  byte(...values: number[]): this {
    for (const value of values) this.#bytes.push(value);
    return this;
  }

  varints(values: Iterable<number>): this {
    for (let value of values) {
      for (; value >= 0x80; value = Math.floor(value / 0x80)) this.#bytes.push((value % 0x80) | 0x80);
      this.#bytes.push(value);
    }
    return this;
  }

  bytes(values: Iterable<number>): this {
    for (const value of values) this.#bytes.push(value);
    return this;
  }

  /** Times are in nanoseconds since 1970, as TensorStore writes them. */
  times(values: Iterable<number>): this {
    for (const ms of values)
      this.bytes(new Uint8Array(BigUint64Array.of(BigInt(Math.floor(ms)) * 1_000_000n).buffer));
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

const text = new TextEncoder();

/** Puts a header and a checksum around a body. */
function frame(magic: number, body: Uint8Array, compression: OcdbtCompression): Uint8Array {
  const packed = BITSTREAMS[compression](body),
    bytes = new Uint8Array(4 + 8 + 2 + packed.length + 4),
    view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setBigUint64(4, BigInt(bytes.length), true);
  view.setUint8(12, 0); // version
  view.setUint8(13, compression === 'zstd' ? 1 : 0);
  bytes.set(packed, 14);
  view.setUint32(bytes.length - 4, crc32c(view, 0, bytes.length - 4), true);
  return bytes;
}

const commonLength = (a: string, b: string): number => {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++;
  return length;
};
/** The longest common prefix of two keys. */
export const commonPrefix = (a: string, b: string): string => a.slice(0, commonLength(a, b));

/** Writes strings of ASCII, each without the prefix that it shares with the one before it. */
function writeShared(out: ByteList, strings: readonly string[], between: readonly number[] = []): void {
  const shared = strings.map((string, k) => (k === 0 ? 0 : commonLength(strings[k - 1], string)));
  out.varints(shared.slice(1)).varints(strings.map((string, k) => string.length - shared[k]));
  out.varints(between);
  for (const [k, string] of strings.entries()) out.bytes(text.encode(string.slice(shared[k])));
}

/** Writes the table of data files. @returns The index of each path. */
function writeFileTable(out: ByteList, ranges: readonly DataRange[]): (range: DataRange) => number {
  const paths = [...new Set(ranges.map(({ path }) => path))].sort();
  out.varints([paths.length]);
  writeShared(
    out,
    paths,
    paths.map(() => 0),
  ); // no path has a base
  return ({ path }) => paths.indexOf(path);
}

/**
 * Encodes a leaf of the B+tree.
 * @param prefix The prefix of all keys, which the parent states.
 */
export function encodeLeaf(
  entries: readonly LeafEntry[],
  prefix: string,
  compression: OcdbtCompression,
): Uint8Array {
  const out = new ByteList().byte(0),
    ranges = entries
      .map(({ value }) => value)
      .filter((value) => !(value instanceof Uint8Array)) as DataRange[];
  const fileOf = writeFileTable(out, ranges);
  out.varints([entries.length]);
  writeShared(
    out,
    entries.map(({ key }) => key.slice(prefix.length)),
  );
  out.varints(entries.map(({ value }) => value.length));
  out.varints(entries.map(({ value }) => (value instanceof Uint8Array ? 0 : 1)));
  out.varints(ranges.map(fileOf)).varints(ranges.map(({ offset }) => offset));
  for (const { value } of entries) if (value instanceof Uint8Array) out.bytes(value);
  return frame(MAGIC.btreeNode, out.done(), compression);
}

/** Encodes an interior node of the B+tree. @param height From 1. */
export function encodeInterior(
  children: readonly NodeReference[],
  { prefix, height }: { prefix: string; height: number },
  compression: OcdbtCompression,
): Uint8Array {
  const out = new ByteList().byte(height),
    fileOf = writeFileTable(out, children);
  out.varints([children.length]);
  writeShared(
    out,
    children.map(({ firstKey }) => firstKey.slice(prefix.length)),
    children.map((child) => child.prefix.length - prefix.length),
  );
  out.varints(children.map(fileOf));
  for (const field of ['offset', 'length', 'keys', 'treeBytes', 'valueBytes'] as const)
    out.varints(children.map((child) => child[field]));
  return frame(MAGIC.btreeNode, out.done(), compression);
}

function writeVersions(
  out: ByteList,
  versions: readonly VersionEntry[],
  fileOf: (range: DataRange) => number,
) {
  out.varints([versions.length]).varints(versions.map(({ generation }) => generation));
  out.byte(...versions.map(({ height }) => height)).varints(versions.map(fileOf));
  for (const field of ['offset', 'length', 'keys', 'treeBytes', 'valueBytes'] as const)
    out.varints(versions.map((version) => version[field]));
  out.times(versions.map(({ commitMs }) => commitMs));
}

function writeVersionNodes(
  out: ByteList,
  nodes: readonly VersionNodeEntry[],
  fileOf: (range: DataRange) => number,
): void {
  out
    .varints([nodes.length])
    .varints(nodes.map(({ generation }) => generation))
    .varints(nodes.map(fileOf));
  for (const field of ['offset', 'length', 'generations'] as const)
    out.varints(nodes.map((node) => node[field]));
  out.times(nodes.map(({ commitMs }) => commitMs));
}

/** Encodes a node of the version tree: a leaf of versions, or an interior node. */
export function encodeVersionNode(
  content: { versions: readonly VersionEntry[] } | { nodes: readonly VersionNodeEntry[]; height: number },
  { versionTreeArityLog2, compression }: Pick<OcdbtConfig, 'versionTreeArityLog2' | 'compression'>,
): Uint8Array {
  const isLeaf = 'versions' in content,
    out = new ByteList().byte(versionTreeArityLog2, isLeaf ? 0 : content.height),
    fileOf = writeFileTable(out, isLeaf ? content.versions : content.nodes);
  if (isLeaf) writeVersions(out, content.versions, fileOf);
  else writeVersionNodes(out, content.nodes, fileOf);
  return frame(MAGIC.versionNode, out.done(), compression);
}

/** Encodes a manifest of the single kind. @param nodes The nodes of older versions, the highest first. */
export function encodeManifest(
  config: OcdbtConfig,
  versions: readonly VersionEntry[],
  nodes: readonly VersionNodeEntry[],
): Uint8Array {
  const { uuid, maxInlineValueBytes, maxDecodedNodeBytes, versionTreeArityLog2, compression } = config;
  const out = new ByteList().bytes(uuid);
  out.varints([0, maxInlineValueBytes, maxDecodedNodeBytes]).byte(versionTreeArityLog2);
  out.varints([compression === 'zstd' ? 1 : 0]);
  if (compression === 'zstd') out.bytes(new Uint8Array(Int32Array.of(ZSTD_LEVEL).buffer));
  const fileOf = writeFileTable(out, [...versions, ...nodes]);
  writeVersions(out, versions, fileOf);
  writeVersionNodes(out, nodes, fileOf);
  out.byte(...nodes.map(({ height }) => height));
  return frame(MAGIC.manifest, out.done(), compression);
}
